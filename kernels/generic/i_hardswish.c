/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_i_hardswish
#define X_T int8_t
#define WIDE_T int32_t
#endif
/* tilewright: end */
#include <stdint.h>

/* y = x * clip(x + three, 0, six) * one_over_six, modulo 2^32, element by element. y may be x. */
void TW_KERNEL(const X_T *x, int32_t *y, int32_t n, int32_t three, int32_t six, int32_t one_over_six)
{
    for (int32_t i = 0; i < n; i++) {
        const WIDE_T v = x[i];
        WIDE_T gate = v + three;
        gate = gate < 0 ? 0 : gate > six ? six : gate;
        y[i] = (int32_t)((uint32_t)v * (uint32_t)gate * (uint32_t)one_over_six);
    }
}
