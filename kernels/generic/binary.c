/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_binary
#define A_T float
#define B_T float
#define Y_T float
#define WORK_T float
#define OP v + w
#endif
/* tilewright: end */
#include <math.h>
#include <stddef.h>
#include <stdint.h>

/* A function of two numbers (widened to WORK_T first), element by element; y may be a or b. */
void TW_KERNEL(const A_T *a, const B_T *b, Y_T *y, int32_t n)
{
    for (int32_t i = 0; i < n; i++) {
        const WORK_T v = a[i];
        const WORK_T w = b[i];
        y[i] = OP;
    }
}
