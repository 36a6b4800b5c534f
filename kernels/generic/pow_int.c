/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_pow_int
#define A_T int32_t
#define B_T int32_t
#define Y_T int32_t
#define W_T uint32_t
#define E_T int32_t
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include "tw_loops.h"

/* base to the power of e, modulo 2^bits; the truncated reciprocal for negative e. */
static inline W_T power(W_T base, E_T e)
{
    W_T result = 1;
    if (e < 0) {
        return base == 1 ? 1 : base == (W_T)-1 ? (e & 1 ? base : 1) : 0;
    }
    for (; e != 0; e >>= 1) {
        if (e & 1) {
            result *= base;
        }
        base *= base;
    }
    return result;
}

/* a to the power of b, element by element, over `loops` (at most 8) dimensions, outermost first, each with a
 * step for a and for b (0 where that operand repeats). y may be an operand of its own size. */
void TW_KERNEL(const A_T *a, const B_T *b, Y_T *y, int32_t loops, const int32_t *dims,
               const int32_t *a_strides, const int32_t *b_strides)
{
    const int32_t inner = loops - 1;
    int32_t index[8] = {0};
    int32_t ia = 0;
    int32_t ib = 0;
    do {
        int32_t ja = ia;
        int32_t jb = ib;
        for (int32_t i = 0; i < dims[inner]; i++) {
            *y++ = (Y_T)power((W_T)a[ja], b[jb]);
            ja += a_strides[inner];
            jb += b_strides[inner];
        }
    } while (tw_next_pair(inner, dims, index, a_strides, &ia, b_strides, &ib));
}
