/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_add_rq_flat
#define TW_REQUANT tw_requant
#define A_T int8_t
#define B_T int8_t
#define M_T int32_t
#define D_T int32_t
#define Y_T int8_t
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include "tw_requant.h"

/* a + b, requantised by one multiplier and addend, element by element; y may be a or b. */
void TW_KERNEL(const A_T *a, const B_T *b, const M_T *mul, const D_T *add, Y_T *y, int32_t n, int shift, int32_t lo,
               int32_t hi)
{
    const M_T m = *mul;
    const D_T d = *add;
    for (int32_t i = 0; i < n; i++) {
        const uint32_t sum = (uint32_t)a[i] + (uint32_t)b[i];
        y[i] = (Y_T)TW_REQUANT((int32_t)sum, m, d, shift, lo, hi);
    }
}
