/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_cast_saturate
#define Y_T int8_t
#define Y_MIN INT8_MIN
#define Y_MAX INT8_MAX
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

/* Floats to integers, truncating and saturating; NaN becomes 0. */
void TW_KERNEL(const float *x, Y_T *y, int32_t n)
{
    for (int32_t i = 0; i < n; i++) {
        const float v = x[i];
        if (v != v) {
            y[i] = 0;
        } else if (v <= (float)Y_MIN) {
            y[i] = Y_MIN;
        } else if (v >= (float)Y_MAX) {
            y[i] = Y_MAX;
        } else {
            y[i] = (Y_T)v;
        }
    }
}
