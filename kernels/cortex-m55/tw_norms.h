/*
 * Rows of bytes divided by their deviation, with the vectors of Cortex-M55 (MVE).
 */
#ifndef TW_NORMS_H
#define TW_NORMS_H

#include <arm_mve.h>
#include <stdint.h>

#include "tw_words.h"

static inline int32_t tw_row_sum(const void *x, int32_t n, int is_signed)
{
    int32_t sum = 0;
    for (int32_t i = 0; i < n; i += 16) {
        const mve_pred16_t p = vctp8q((uint32_t)(n - i));
        sum = is_signed ? vaddvaq_s8(sum, vldrbq_z_s8((const int8_t *)x + i, p))
                        : (int32_t)vaddvaq_u8((uint32_t)sum, vldrbq_z_u8((const uint8_t *)x + i, p));
    }
    return sum;
}

/* isqrt(mean of (x - mean)^2, rounded down, + 1); n is at most 65536. Of numbers below 2^24 the square root of a float is no
 * integer unless theirs is. */
static inline int32_t tw_deviation(const void *x, int32_t n, int32_t mean, int is_signed)
{
    uint32_t squares = 0;
    for (int32_t i = 0; i < n; i += 8) {
        const mve_pred16_t p = vctp16q((uint32_t)(n - i));
        const int16x8_t v = is_signed ? vldrbq_z_s16((const int8_t *)x + i, p)
                                      : vreinterpretq_s16_u16(vldrbq_z_u16((const uint8_t *)x + i, p));
        const uint16x8_t d = vreinterpretq_u16_s16(vabsq_s16(vsubq_n_s16(v, (int16_t)mean)));
        squares = vmladavaq_p_u16(squares, d, d, p);
    }
    return (int32_t)__builtin_sqrtf((float)(squares / (uint32_t)n + 1u));
}

/* v / by, towards zero; the quotient by the reciprocal, 2^32 / by, is right or one too small. */
static inline int32x4_t tw_quotients(int32x4_t v, int32_t by, uint32x4_t reciprocal)
{
    const uint32x4_t u = vreinterpretq_u32_s32(vabsq_s32(v));
    uint32x4_t q = vmulhq_u32(u, reciprocal);
    const uint32x4_t rest = vsubq_u32(u, vmulq_n_u32(q, (uint32_t)by));
    q = vaddq_m_n_u32(q, q, 1, vcmpcsq_n_u32(rest, (uint32_t)by));
    const int32x4_t magnitude = vreinterpretq_s32_u32(q);
    return vnegq_m_s32(magnitude, magnitude, vcmpltq_n_s32(v, 0));
}

/* Four elements of type `type`, of which p are there, or with a step of 0 one. */
#define TW_FOUR(type, at, step, whole, p)                                                                             \
    (!(step) ? vdupq_n_s32((int32_t)*(at)) : (whole) ? TW_WORDS(type, at) : TW_SOME_WORDS(type, at, p))

/* Whether weights times differences of bytes fit 32 bits. */
#define TW_FIT(type, weight, step, n, fit)                                                                            \
    {                                                                                                                 \
        uint32_t largest = 0;                                                                                         \
        for (int32_t i = 0; i < ((step) ? (n) : 1); i += 4) {                                                         \
            const mve_pred16_t p = vctp32q((uint32_t)((n) - i));                                                      \
            largest = vmaxavq_p_s32(largest, TW_FOUR(type, (weight) + i, step, 0, p), p);                              \
        }                                                                                                             \
        fit = largest <= 1u << 23;                                                                                    \
    }

#endif
