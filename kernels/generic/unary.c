/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_unary
#define X_T float
#define Y_T float
#define OP expf(v)
#endif
/* tilewright: end */
#include <math.h>
#include <stddef.h>
#include <stdint.h>

/* A function of one number, element by element; y may be x. */
void TW_KERNEL(const X_T *x, Y_T *y, int32_t n)
{
    for (int32_t i = 0; i < n; i++) {
        const X_T v = x[i];
        y[i] = OP;
    }
}
