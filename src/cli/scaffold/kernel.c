/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_@SYMBOL@
#define T_T float
#define T_IS_FLOAT 1
#endif
/* tilewright: end */
#include <stddef.h>

/* @OP@, element by element. x and y may be the same buffer. */
void TW_KERNEL(const T_T *x, T_T *y, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        y[i] = x[i] > (T_T)0 ? x[i] : (T_T)0;
    }
}
