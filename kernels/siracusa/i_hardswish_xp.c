/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_i_hardswish_xp
#define X_T int8_t
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include "tw_cluster.h"
#include "tw_xpulp.h"

TW_ALWAYS_INLINE int32_t tw_hardswish(int32_t v, int32_t three, int32_t six, int32_t one_over_six)
{
    const uint32_t gate = tw_clipur((uint32_t)v + (uint32_t)three, (uint32_t)six);
    return (int32_t)((uint32_t)v * gate * (uint32_t)one_over_six);
}

/* y = x * clip(x + three, 0, six) * one_over_six, modulo 2^32, element by element, on all cores. */
void TW_KERNEL(const X_T *x, int32_t *y, int32_t n, int32_t three, int32_t six, int32_t one_over_six)
{
    const struct tw_range part = tw_split((size_t)n, 4);
    int32_t left = (int32_t)(part.end - part.begin);
    x += part.begin;
    y += part.begin;
    for (; left >= 4; left -= 4, x += 4, y += 4) {
        const X_T a = x[0], b = x[1], c = x[2], d = x[3];
        y[0] = tw_hardswish(a, three, six, one_over_six);
        y[1] = tw_hardswish(b, three, six, one_over_six);
        y[2] = tw_hardswish(c, three, six, one_over_six);
        y[3] = tw_hardswish(d, three, six, one_over_six);
    }
    for (; left > 0; left--) {
        *y++ = tw_hardswish(*x++, three, six, one_over_six);
    }
}
