/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_gelu_grad
#endif
/* tilewright: end */
#include <math.h>
#include <stdint.h>

/* Gradient of the exact GELU: dx = dy * (cdf(x) + x * pdf(x)), element by element. dx may be dy or x. */
void TW_KERNEL(const float *dy, const float *x, float *dx, int32_t n)
{
    for (int32_t i = 0; i < n; i++) {
        const float v = x[i];
        const float cdf = 0.5f * (1.0f + erff(v * 0.70710678f));
        const float pdf = 0.39894228f * expf(-0.5f * v * v);
        dx[i] = dy[i] * (cdf + v * pdf);
    }
}
