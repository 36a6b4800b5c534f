/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_gelu_f32_xp
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include "tw_cluster.h"
#include "tw_floats.h"

/* x times the normal distribution at x, element by element, on all cores; y may be x. */
void TW_KERNEL(const float *x, float *y, int32_t n)
{
    const struct tw_range part = tw_split((size_t)n, 1);
    struct tw_erf e;
    tw_erf_begin(&e);
    for (size_t i = part.begin; i < part.end; i++) {
        const float v = x[i], half = 0.5f * v;
        y[i] = fmaf(half, tw_erf(&e, v * 0.70710678f), half);
    }
}
