/*
 * Four integers as words, and their requantisation in 32 bits, with the vectors of Cortex-M55 (MVE).
 */
#ifndef TW_WORDS_H
#define TW_WORDS_H

#include <arm_mve.h>
#include <stdint.h>

static inline int32x4_t tw_words_of(const void *p, int bytes, int is_signed)
{
    if (bytes == 1) {
        return is_signed ? vldrbq_s32((const int8_t *)p) : vreinterpretq_s32_u32(vldrbq_u32((const uint8_t *)p));
    }
    if (bytes == 2) {
        return is_signed ? vldrhq_s32((const int16_t *)p) : vreinterpretq_s32_u32(vldrhq_u32((const uint16_t *)p));
    }
    return vldrwq_s32((const int32_t *)p);
}

#define TW_WORDS(type, p) tw_words_of(p, (int)sizeof(type), (type)-1 < 0)

/* The last words are not whole: lanes that are missing are 0. */
static inline int32x4_t tw_some_words_of(const void *p, int bytes, int is_signed, mve_pred16_t lanes)
{
    if (bytes == 1) {
        return is_signed ? vldrbq_z_s32((const int8_t *)p, lanes)
                         : vreinterpretq_s32_u32(vldrbq_z_u32((const uint8_t *)p, lanes));
    }
    if (bytes == 2) {
        return is_signed ? vldrhq_z_s32((const int16_t *)p, lanes)
                         : vreinterpretq_s32_u32(vldrhq_z_u32((const uint16_t *)p, lanes));
    }
    return vldrwq_z_s32((const int32_t *)p, lanes);
}

#define TW_SOME_WORDS(type, p, lanes) tw_some_words_of(p, (int)sizeof(type), (type)-1 < 0, lanes)

struct tw_word_scale {
    int32x4_t lo;
    int32x4_t hi;
    int32_t left; /* the shift, negative */
};

static inline int32x4_t tw_scaled_words(int32x4_t v, const struct tw_word_scale *s)
{
    return vminq_s32(vmaxq_s32(vrshlq_n_s32(v, s->left), s->lo), s->hi);
}

#endif
