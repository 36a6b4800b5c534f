/* tilewright: defaults */
#include <stddef.h>
#include <stdint.h>
#ifndef TW_KERNEL
#define TW_KERNEL tw_relu
#define T_T int8_t
#endif
/* tilewright: end */

/* y = max(x, 0), element by element; y may be x. */
void TW_KERNEL(const T_T *x, T_T *y, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const T_T v = x[i];
        y[i] = (T_T)(v > (T_T)0 ? v : (T_T)0);
    }
}
