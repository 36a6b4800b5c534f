/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_requant_shift_mve
#define X_T int32_t
#define Y_T int8_t
#endif
/* tilewright: end */
#include <arm_mve.h>
#include <stdint.h>

#include "tw_words.h"

/* n elements by one multiplier and addend. */
static void all(const X_T *x, Y_T *y, int32_t n, int32_t mul, int32_t add, const struct tw_word_scale *scale)
{
    const struct tw_word_scale s = *scale;
    const int32x4_t m = vdupq_n_s32(mul);
    for (; n >= 4; n -= 4, x += 4, y += 4) {
        vstrbq_s32((int8_t *)y, tw_scaled_words(vmlasq_n_s32(TW_WORDS(X_T, x), m, add), &s));
    }
    if (n > 0) {
        const mve_pred16_t p = vctp32q((uint32_t)n);
        vstrbq_p_s32((int8_t *)y, tw_scaled_words(vmlasq_n_s32(TW_SOME_WORDS(X_T, x, p), m, add), &s), p);
    }
}

/* n elements, each by a multiplier and an addend of its own. */
static void each(const X_T *x, Y_T *y, int32_t n, const int32_t *mul, const int32_t *add,
                 const struct tw_word_scale *scale)
{
    const struct tw_word_scale s = *scale;
    for (; n > 0; n -= 4, x += 4, y += 4, mul += 4, add += 4) {
        const mve_pred16_t p = vctp32q((uint32_t)n);
        const int32x4_t v = vmulq_s32(TW_SOME_WORDS(X_T, x, p), vldrwq_z_s32(mul, p));
        vstrbq_p_s32((int8_t *)y, tw_scaled_words(vaddq_s32(v, vldrwq_z_s32(add, p)), &s), p);
    }
}

/* y = clip((x * mul + add + half) >> shift, lo, hi) in 32 bits of x [outer, channels, inner]; mul and add have one element
 * (step 0) or one for each channel (step 1). y may be x. */
void TW_KERNEL(const X_T *x, const int32_t *mul, const int32_t *add, Y_T *y, int32_t outer, int32_t channels,
               int32_t inner, int32_t mul_step, int32_t add_step, int shift, int32_t lo, int32_t hi)
{
    const struct tw_word_scale s = {vdupq_n_s32(lo), vdupq_n_s32(hi), -shift};
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
