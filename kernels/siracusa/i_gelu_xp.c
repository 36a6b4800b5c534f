/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_i_gelu_xp
#define X_T int8_t
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include "tw_map.h"
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
#define OF(v) tw_gelu_of(v, knee, one)
    TW_MAP(X_T, x, y, n, OF);
}
