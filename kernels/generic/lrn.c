/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_lrn
#endif
/* tilewright: end */
#include <math.h>
#include <stdint.h>

/* y = x / (bias + alpha * squares)^beta with the sum of squares over a window of `before` channels before and `behind`
 * channels behind, in x [outer, len, inner] with channels in the middle. */
void TW_KERNEL(const float *x, float *y, int32_t outer, int32_t len, int32_t inner, int32_t before, int32_t behind,
               float alpha, float beta, float bias)
{
    for (int32_t o = 0; o < outer; o++, x += len * inner) {
        for (int32_t c = 0; c < len; c++) {
            const int32_t first = c > before ? c - before : 0;
            const int32_t end = len - c > behind ? c + behind + 1 : len;
            for (int32_t i = 0; i < inner; i++) {
                float squares = 0.0f;
                for (int32_t k = first; k < end; k++) {
                    const float v = x[k * inner + i];
                    squares += v * v;
                }
                *y++ = x[c * inner + i] / powf(bias + alpha * squares, beta);
            }
        }
    }
}
