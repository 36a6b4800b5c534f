/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_hardmax
#endif
/* tilewright: end */
#include <stdint.h>

/* 1 at the first maximum along the middle of x [outer, len, inner], 0 elsewhere. y may be x. */
void TW_KERNEL(const float *x, float *y, int32_t outer, int32_t len, int32_t inner)
{
    for (int32_t o = 0; o < outer; o++, x += (len - 1) * inner, y += (len - 1) * inner) {
        for (int32_t r = 0; r < inner; r++, x++, y++) {
            int32_t best = 0;
            for (int32_t i = 1; i < len; i++) {
                best = x[i * inner] > x[best * inner] ? i : best;
            }
            for (int32_t i = 0; i < len; i++) {
                y[i * inner] = i == best ? 1.0f : 0.0f;
            }
        }
    }
}
