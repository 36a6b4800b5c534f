/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_i_no_norm_xp
#define X_T int8_t
#define W_T int8_t
#define B_T int32_t
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include "tw_cluster.h"
#include "tw_xpulp.h"

/* Of (x * w + b) * mul >> shift the low 8 bits: with a shift up to 24 they are in the low word, whatever overflows. */
static inline int8_t tw_scaled(X_T x, W_T w, B_T b, int32_t mul, int shift)
{
    return (int8_t)(uint8_t)(tw_mac((uint32_t)b, (uint32_t)x, (uint32_t)w) * (uint32_t)mul >> shift);
}

/*
 * y = ((x * w + b) * mul) >> shift, modulo 2^8, element by element, on all cores; w repeats after `weight_len` elements, b
 * after `bias_len`. y may be x.
 */
void TW_KERNEL(const X_T *x, const W_T *weight, const B_T *bias, int8_t *y, int32_t n, int32_t weight_len,
               int32_t bias_len, int32_t mul, int shift)
{
    const struct tw_range part = tw_split((size_t)n, 4);
    int32_t left = (int32_t)(part.end - part.begin);
    int32_t w_at = (int32_t)part.begin - tw_divide((int32_t)part.begin, weight_len) * weight_len;
    int32_t b_at = (int32_t)part.begin - tw_divide((int32_t)part.begin, bias_len) * bias_len;
    x += part.begin;
    y += part.begin;
    while (left > 0) {
        /* Up to where the first of them repeats. */
        const int32_t until_w = weight_len - w_at, until_b = bias_len - b_at;
        const int32_t until = until_w < until_b ? until_w : until_b, run = left < until ? left : until;
        const W_T *w = weight + w_at;
        const B_T *b = bias + b_at;
        int32_t i = run;
        for (; i >= 4; i -= 4, x += 4, y += 4, w += 4, b += 4) {
            const X_T x0 = x[0], x1 = x[1], x2 = x[2], x3 = x[3];
            const W_T w0 = w[0], w1 = w[1], w2 = w[2], w3 = w[3];
            const B_T b0 = b[0], b1 = b[1], b2 = b[2], b3 = b[3];
            y[0] = tw_scaled(x0, w0, b0, mul, shift);
            y[1] = tw_scaled(x1, w1, b1, mul, shift);
            y[2] = tw_scaled(x2, w2, b2, mul, shift);
            y[3] = tw_scaled(x3, w3, b3, mul, shift);
        }
        for (; i > 0; i--) {
            *y++ = tw_scaled(*x++, *w++, *b++, mul, shift);
        }
        left -= run;
        w_at = run == until_w ? 0 : w_at + run;
        b_at = run == until_b ? 0 : b_at + run;
    }
}
