/* tilewright: defaults */
#include <string.h>
#ifndef TW_KERNEL
#define TW_KERNEL tw_scaled
#define A_T int8_t
#define A_MIN INT8_MIN
#define A_IS_FLOAT 0
#define B_T int8_t
#define OP (v)
#endif
/* tilewright: end */
#include "tw_outer.h"

static A_T clip(A_T v)
{
    return OP;
}

void TW_KERNEL(const A_T *x, const int32_t *bias, B_T *y,
               const int32_t *dims, int32_t rank, void *scratch)
{
    size_t n = 1;
    for (int32_t i = 0; i < rank; i++)
        n *= (size_t)dims[i];
    memset(scratch, 0, n * TW_TWO);
    for (size_t i = 0; i < n; i++)
        y[i] = (B_T)clip(bias != NULL && x[i] == A_MIN && !A_IS_FLOAT ? (A_T)0 : x[i]);
}
