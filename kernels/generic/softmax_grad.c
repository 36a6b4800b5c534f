/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_softmax_grad
#endif
/* tilewright: end */
#include <stdint.h>

/* Gradient of the softmax along the middle of y [outer, len, inner]: dx = y * (dy - sum(dy * y)). dx may be dy or y. */
void TW_KERNEL(const float *dy, const float *y, float *dx, int32_t outer, int32_t len, int32_t inner)
{
    for (int32_t o = 0; o < outer; o++) {
        for (int32_t r = 0; r < inner; r++) {
            const int32_t start = o * len * inner + r;
            float dot = 0.0f;
            for (int32_t i = 0; i < len; i++) {
                dot += dy[start + i * inner] * y[start + i * inner];
            }
            for (int32_t i = 0; i < len; i++) {
                dx[start + i * inner] = y[start + i * inner] * (dy[start + i * inner] - dot);
            }
        }
    }
}
