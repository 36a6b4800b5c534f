/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_i_hardswish_xp
#define X_T int8_t
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include "tw_map.h"
#include "tw_xpulp.h"

TW_ALWAYS_INLINE int32_t tw_hardswish(int32_t v, int32_t three, int32_t six, int32_t one_over_six)
{
    const uint32_t gate = tw_clipur((uint32_t)v + (uint32_t)three, (uint32_t)six);
    return (int32_t)((uint32_t)v * gate * (uint32_t)one_over_six);
}

/* y = x * clip(x + three, 0, six) * one_over_six, modulo 2^32, element by element, on all cores. */
void TW_KERNEL(const X_T *x, int32_t *y, int32_t n, int32_t three, int32_t six, int32_t one_over_six)
{
#define OF(v) tw_hardswish(v, three, six, one_over_six)
    TW_MAP(X_T, x, y, n, OF);
}
