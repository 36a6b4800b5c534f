/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_add_rq_mve
#define A_T int8_t
#define B_T int8_t
#define Y_T int8_t
#endif
/* tilewright: end */
#include <arm_mve.h>
#include <stdint.h>

#include "tw_words.h"

/* a + b, bytes, requantised in 32 bits by one multiplier and addend, element by element; y may be a or b. */
void TW_KERNEL(const A_T *a, const B_T *b, const int32_t *mul, const int32_t *add, Y_T *y, int32_t n, int shift,
               int32_t lo, int32_t hi)
{
    const struct tw_word_scale s = {vdupq_n_s32(lo), vdupq_n_s32(hi), -shift};
    const int32x4_t m = vdupq_n_s32(*mul);
    const int32_t d = *add;
    for (; n >= 4; n -= 4, a += 4, b += 4, y += 4) {
        const int32x4_t v = vaddq_s32(TW_WORDS(A_T, a), TW_WORDS(B_T, b));
        vstrbq_s32((int8_t *)y, tw_scaled_words(vmlasq_n_s32(v, m, d), &s));
    }
    if (n > 0) {
        const mve_pred16_t p = vctp32q((uint32_t)n);
        const int32x4_t v = vaddq_s32(TW_SOME_WORDS(A_T, a, p), TW_SOME_WORDS(B_T, b, p));
        vstrbq_p_s32((int8_t *)y, tw_scaled_words(vmlasq_n_s32(v, m, d), &s), p);
    }
}
