/* A row of sums, requantised in 32 bits, four at a time. */
#ifndef TW_ADD_ROW_MVE_H
#define TW_ADD_ROW_MVE_H

#include "tw_words.h"

struct tw_add {
    struct tw_word_scale scale;
    int32x4_t mul;
    int32_t add;
};

static inline struct tw_add tw_add_of(int32_t mul, int32_t add, int shift, int32_t lo, int32_t hi)
{
    const struct tw_add s = {{vdupq_n_s32(lo), vdupq_n_s32(hi), -shift}, vdupq_n_s32(mul), add};
    return s;
}

/* n elements, bytes; those of a and of b are of the types A and B, and lie side by side or, with a step of 0, are one. */
#define TW_ADD_ROW(A, a, a_step, B, b, b_step, Y, y, n, s)                                                            \
    for (int32_t i = 0; i < (n); i += 4) {                                                                            \
        const mve_pred16_t p = vctp32q((uint32_t)((n) - i));                                                          \
        const int32x4_t va = (a_step) ? TW_SOME_WORDS(A, (a) + i, p) : vdupq_n_s32((int32_t)*(a));                    \
        const int32x4_t vb = (b_step) ? TW_SOME_WORDS(B, (b) + i, p) : vdupq_n_s32((int32_t)*(b));                    \
        const int32x4_t v = vmlasq_n_s32(vaddq_s32(va, vb), (s).mul, (s).add);                                        \
        vstrbq_p_s32((int8_t *)(y) + i, tw_scaled_words(v, &(s).scale), p);                                           \
    }

#endif
