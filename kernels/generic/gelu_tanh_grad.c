/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_gelu_tanh_grad
#endif
/* tilewright: end */
#include <math.h>
#include <stdint.h>

/* Gradient of the tanh approximation of GELU, element by element. dx may be dy or x. */
void TW_KERNEL(const float *dy, const float *x, float *dx, int32_t n)
{
    for (int32_t i = 0; i < n; i++) {
        const float v = x[i];
        const float t = tanhf(0.79788456f * (v + 0.044715f * v * v * v));
        const float slope = 0.79788456f * (1.0f + 0.134145f * v * v);
        dx[i] = dy[i] * (0.5f * (1.0f + t) + 0.5f * v * (1.0f - t * t) * slope);
    }
}
