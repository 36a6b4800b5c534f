/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_requant_shift_mve
#define X_T int32_t
#define Y_T int8_t
#define TW_WIDE 0
#endif
/* tilewright: end */
#include <arm_mve.h>
#include <stdint.h>

#include "tw_words.h"

#if TW_WIDE

struct scale {
    struct tw_word_scale words;
    int shift;
};

/* The same in 64 bits, by halves, for shifts from 10 on: what is out of range is far out of the range of bytes. */
static inline int32x4_t each_scaled(int32x4_t v, int32x4_t mul, int32x4_t add, const struct scale *s)
{
    const uint64_t half = UINT64_C(1) << s->shift >> 1;
    const uint32x4_t low_half = vdupq_n_u32((uint32_t)half);
    uint32x4_t addend = vaddq_u32(vreinterpretq_u32_s32(add), low_half);
    /* The upper half of the addend and the carry that is there unless a sum is no less than what was added. */
    int32x4_t high = vaddq_n_s32(vshrq_n_s32(add, 31), (int32_t)(uint32_t)(half >> 32) + 2);
    uint32x4_t low = vaddq_u32(vreinterpretq_u32_s32(vmulq_s32(v, mul)), addend);
    high = vsubq_m_n_s32(high, high, 1, vcmpcsq_u32(addend, low_half));
    high = vsubq_m_n_s32(high, high, 1, vcmpcsq_u32(low, addend));
    high = vaddq_s32(high, vmulhq_s32(v, mul));
    if (s->shift < 32) {
        high = vqshlq_r_s32(high, 32 - s->shift);
        high = vorrq_s32(high, vreinterpretq_s32_u32(vshlq_r_u32(low, -s->shift)));
    } else {
        high = vshlq_r_s32(high, 32 - s->shift);
    }
    return vminq_s32(vmaxq_s32(high, s->words.lo), s->words.hi);
}

static inline int32x4_t all_scaled(int32x4_t v, int32x4_t mul, int32_t add, const struct scale *s)
{
    return each_scaled(v, mul, vdupq_n_s32(add), s);
}

#else

struct scale {
    struct tw_word_scale words;
};

static inline int32x4_t each_scaled(int32x4_t v, int32x4_t mul, int32x4_t add, const struct scale *s)
{
    return tw_scaled_words(vaddq_s32(vmulq_s32(v, mul), add), &s->words);
}

static inline int32x4_t all_scaled(int32x4_t v, int32x4_t mul, int32_t add, const struct scale *s)
{
    return tw_scaled_words(vmlasq_n_s32(v, mul, add), &s->words);
}

#endif

/* n elements by one multiplier and addend. */
static void all(const X_T *x, Y_T *y, int32_t n, int32_t mul, int32_t add, const struct scale *scale)
{
    const struct scale s = *scale;
    const int32x4_t m = vdupq_n_s32(mul);
    for (; n >= 4; n -= 4, x += 4, y += 4) {
        vstrbq_s32((int8_t *)y, all_scaled(TW_WORDS(X_T, x), m, add, &s));
    }
    if (n > 0) {
        const mve_pred16_t p = vctp32q((uint32_t)n);
        vstrbq_p_s32((int8_t *)y, all_scaled(TW_SOME_WORDS(X_T, x, p), m, add, &s), p);
    }
}

/* n elements, each by a multiplier and an addend of its own. */
static void each(const X_T *x, Y_T *y, int32_t n, const int32_t *mul, const int32_t *add,
                 const struct scale *scale)
{
    const struct scale s = *scale;
    for (; n > 0; n -= 4, x += 4, y += 4, mul += 4, add += 4) {
        const mve_pred16_t p = vctp32q((uint32_t)n);
        const int32x4_t m = vldrwq_z_s32(mul, p), a = vldrwq_z_s32(add, p);
        vstrbq_p_s32((int8_t *)y, each_scaled(TW_SOME_WORDS(X_T, x, p), m, a, &s), p);
    }
}

/* y = clip((x * mul + add + half) >> shift, lo, hi) of x [outer, channels, inner]; mul and add have one element
 * (step 0) or one for each channel (step 1). y may be x. */
void TW_KERNEL(const X_T *x, const int32_t *mul, const int32_t *add, Y_T *y, int32_t outer, int32_t channels,
               int32_t inner, int32_t mul_step, int32_t add_step, int shift, int32_t lo, int32_t hi)
{
#if TW_WIDE
    const struct scale s = {{vdupq_n_s32(lo), vdupq_n_s32(hi), -shift}, shift};
#else
    const struct scale s = {{vdupq_n_s32(lo), vdupq_n_s32(hi), -shift}};
#endif
    if (mul_step == 0 && add_step == 0) {
        all(x, y, outer * channels * inner, *mul, *add, &s);
        return;
    }
    for (int32_t o = 0; o < outer; o++) {
        if (inner == 1 && mul_step == 1 && add_step == 1) {
            each(x, y, channels, mul, add, &s);
            x += channels;
            y += channels;
            continue;
        }
        for (int32_t c = 0; c < channels; c++, x += inner, y += inner) {
            all(x, y, inner, mul[c * mul_step], add[c * add_step], &s);
        }
    }
}
