/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_softmax
#endif
/* tilewright: end */
#include <math.h>
#include <stdint.h>

/* Softmax along the middle of x [outer, len, inner]. y may be x. */
void TW_KERNEL(const float *x, float *y, int32_t outer, int32_t len, int32_t inner)
{
    for (int32_t o = 0; o < outer; o++, x += (len - 1) * inner, y += (len - 1) * inner) {
        for (int32_t r = 0; r < inner; r++, x++, y++) {
            float max = x[0];
            for (int32_t i = 1; i < len; i++) {
                max = fmaxf(max, x[i * inner]);
            }
            float sum = 0.0f;
            for (int32_t i = 0; i < len; i++) {
                const float e = expf(x[i * inner] - max);
                y[i * inner] = e;
                sum += e;
            }
            const float scale = 1.0f / sum;
            for (int32_t i = 0; i < len; i++) {
                y[i * inner] *= scale;
            }
        }
    }
}
