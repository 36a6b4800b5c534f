/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_lookup
#define X_T int8_t
#define Y_T int8_t
#endif
/* tilewright: end */
#include <stdint.h>

/* y = table[byte of x], element by element; the table has 256 elements. y may be x. */
void TW_KERNEL(const X_T *x, const Y_T *table, Y_T *y, int32_t n)
{
    for (int32_t i = 0; i < n; i++) {
        y[i] = table[(uint8_t)x[i]];
    }
}
