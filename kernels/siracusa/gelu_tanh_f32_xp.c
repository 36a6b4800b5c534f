/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_gelu_tanh_f32_xp
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include "tw_cluster.h"
#include "tw_floats.h"

/* x (1 + tanh u) / 2 with u = sqrt(2 / pi) (x + 0.044715 x^3), which is x / (1 + exp(-2 u)), element by element, on all cores;
 * y may be x. */
void TW_KERNEL(const float *x, float *y, int32_t n)
{
    const struct tw_range part = tw_split((size_t)n, 1);
    float linear = -2.0f * 0.79788456f, cubic = -2.0f * 0.79788456f * 0.044715f;
    struct tw_exp e;
    tw_exp_begin(&e);
    TW_KEEP(linear);
    TW_KEEP(cubic);
    for (size_t i = part.begin; i < part.end; i++) {
        const float v = x[i], u = v * fmaf(cubic, v * v, linear);
        y[i] = v * tw_inverse(1.0f + tw_exp(&e, u > 80.0f ? 80.0f : u));
    }
}
