/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_i_gelu_xp
#define X_T int8_t
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include "tw_cluster.h"
#include "tw_xpulp.h"

/* With the sign of v the parabola one - (min(|v|, knee) - knee)^2; of 0 the sign does not matter. */
TW_ALWAYS_INLINE int32_t tw_gelu_of(int32_t v, int32_t knee, int32_t one)
{
    const int32_t d = tw_signed(tw_min(tw_abs((uint32_t)v), (uint32_t)knee)) - knee;
    const int32_t parabola = one - d * d;
    return (int32_t)((uint32_t)v * (uint32_t)((v < 0 ? one - parabola : one + parabola) >> 1));
}

/* Integer GELU, element by element, on all cores; `knee` is where the parabola saturates. */
void TW_KERNEL(const X_T *x, int32_t *y, int32_t n, int32_t knee, int32_t one)
{
    const struct tw_range part = tw_split((size_t)n, 4);
    int32_t left = (int32_t)(part.end - part.begin);
    x += part.begin;
    y += part.begin;
    for (; left >= 4; left -= 4, x += 4, y += 4) {
        const X_T a = x[0], b = x[1], c = x[2], d = x[3];
        y[0] = tw_gelu_of(a, knee, one);
        y[1] = tw_gelu_of(b, knee, one);
        y[2] = tw_gelu_of(c, knee, one);
        y[3] = tw_gelu_of(d, knee, one);
    }
    for (; left > 0; left--) {
        *y++ = tw_gelu_of(*x++, knee, one);
    }
}
