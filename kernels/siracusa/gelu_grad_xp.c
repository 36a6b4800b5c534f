/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_gelu_grad_xp
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include "tw_cluster.h"
#include "tw_floats.h"

/* Gradient of the exact GELU, dx = dy * (cdf(x) + x * pdf(x)), element by element, on all cores; dx may be dy or x. */
void TW_KERNEL(const float *dy, const float *x, float *dx, int32_t n)
{
    const struct tw_range part = tw_split((size_t)n, 1);
    struct tw_erf e;
    tw_erf_begin(&e);
    for (size_t i = part.begin; i < part.end; i++) {
        const float v = x[i];
        const float cdf = fmaf(0.5f, tw_erf(&e, v * 0.70710678f), 0.5f);
        const float pdf = 0.39894228f * tw_exp(&e.exp, -0.5f * v * v);
        dx[i] = dy[i] * fmaf(v, pdf, cdf);
    }
}
