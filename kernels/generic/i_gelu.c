/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_i_gelu
#define X_T int8_t
#define WIDE_T int32_t
#endif
/* tilewright: end */
#include <stdint.h>

/* Integer GELU, element by element; `knee` is where the parabola saturates. y may be x. */
void TW_KERNEL(const X_T *x, int32_t *y, int32_t n, int32_t knee, int32_t one)
{
    for (int32_t i = 0; i < n; i++) {
        const WIDE_T v = x[i];
        const WIDE_T magnitude = v < 0 ? -v : v;
        const int32_t d = magnitude < knee ? (int32_t)magnitude - knee : 0;
        const int32_t parabola = one - d * d;
        const int32_t l = v > 0 ? parabola : v < 0 ? -parabola : 0;
        y[i] = (int32_t)((uint32_t)v * (uint32_t)((one + l) >> 1));
    }
}
