/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_gemm_mve
#define A_T int8_t
#define A_MIN INT8_MIN
#define C_T int32_t
#define Y_T int8_t
#endif
/* tilewright: end */
#include <arm_mve.h>
#include <stddef.h>
#include <stdint.h>

#include "tw_words.h"

/* sums[j] += row j of four times x, k bytes; `s` or `u` says which. The even registers alone take sums of products. */
#define DOTS_4(s)                                                                                                     \
    __asm__("dlstp.8 lr, %[k]\n"                                                                                      \
            "1: vldrb.8 %q[a], [%[x]], #16\n"                                                                         \
            "vldrb.8 %q[b], [%[w]], #16\n"                                                                            \
            "vmladava." s "8 %[s0], %q[a], %q[b]\n"                                                                   \
            "vldrb.8 %q[c], [%[w]], #16\n"                                                                            \
            "vmladava." s "8 %[s1], %q[a], %q[c]\n"                                                                   \
            "vldrb.8 %q[b], [%[w]], #16\n"                                                                            \
            "vmladava." s "8 %[s2], %q[a], %q[b]\n"                                                                   \
            "vldrb.8 %q[c], [%[w]], #16\n"                                                                            \
            "vmladava." s "8 %[s3], %q[a], %q[c]\n"                                                                   \
            "letp lr, 1b\n"                                                                                           \
            : [s0] "+Te"(s0), [s1] "+Te"(s1), [s2] "+Te"(s2), [s3] "+Te"(s3), [x] "+l"(x), [w] "+l"(b),               \
              [a] "=&w"(va), [b] "=&w"(vb), [c] "=&w"(vc)                                                             \
            : [k] "r"(k)                                                                                              \
            : "lr", "memory")

/* A row. */
static void row(const A_T *a, const int8_t *b, const C_T *c, Y_T *y, int32_t k, int32_t n, const int32_t *mul,
                const int32_t *add, int32_t mul_step, int32_t add_step, const struct tw_word_scale *scale)
{
    const struct tw_word_scale s = *scale;
    uint32_t sum = 0;
    if (A_MIN == 0) {
        for (int32_t i = 0; i < k; i += 16) {
            sum = vaddvaq_u8(sum, vldrbq_z_u8((const uint8_t *)a + i, vctp8q((uint32_t)(k - i))));
        }
    }
    const int32_t first = (int32_t)(0u - 128u * sum);
    for (int32_t o = 0; o < n; o += 4, y += 4, mul += 4 * mul_step, add += 4 * add_step) {
        const mve_pred16_t p = vctp32q((uint32_t)(n - o));
        const A_T *x = a;
        int32_t s0 = first, s1 = first, s2 = first, s3 = first;
        int8x16_t va, vb, vc;
        if (A_MIN == 0) {
            DOTS_4("u");
        } else {
            DOTS_4("s");
        }
        int32x4_t v = vdupq_n_s32(s0);
        v = vsetq_lane_s32(s1, v, 1);
        v = vsetq_lane_s32(s2, v, 2);
        v = vsetq_lane_s32(s3, v, 3);
        if (c != NULL) {
            v = vaddq_s32(v, TW_SOME_WORDS(C_T, c + o, p));
        }
        if (sizeof(Y_T) == 4) {
            vstrwq_p_s32((int32_t *)y, v, p);
            continue;
        }
        v = vmulq_s32(v, mul_step ? vldrwq_z_s32(mul, p) : vdupq_n_s32(*mul));
        v = vaddq_s32(v, add_step ? vldrwq_z_s32(add, p) : vdupq_n_s32(*add));
        vstrbq_p_s32((int8_t *)y, tw_scaled_words(v, &s), p);
    }
}

/*
 * Rows of bytes times a constant matrix, four columns at a time; requantised in 32 bits, or as they are where the results have
 * 32 bits.
 *
 * a [m, k], y [m, n]; b packed in vectors4, its columns as rows; c has an element for each column, or is NULL. Where a is
 * unsigned so is b, larger by 128, and the sum of a makes up for it. mul and add have one element (step 0) or one for each
 * column.
 */
void TW_KERNEL(const A_T *a, const int8_t *b, const C_T *c, Y_T *y, int32_t m, int32_t k, int32_t n, const int32_t *mul,
               const int32_t *add, int32_t mul_step, int32_t add_step, int shift, int32_t lo, int32_t hi)
{
    const struct tw_word_scale scale = {vdupq_n_s32(lo), vdupq_n_s32(hi), -shift};
    for (; m > 0; m--, a += k, y += n) {
        row(a, b, c, y, k, n, mul, add, mul_step, add_step, &scale);
    }
}
