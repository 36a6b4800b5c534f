/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_strided
#define X_T int8_t
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include "tw_loops.h"

/* Reads x from `offset` on over `loops` (at most 8) dimensions, outermost first, each with its step. */
void TW_KERNEL(const X_T *x, X_T *y, int32_t offset, int32_t loops, const int32_t *dims, const int32_t *strides)
{
    const int32_t inner = loops - 1;
    const int32_t n = dims[inner];
    const int32_t step = strides[inner];
    int32_t index[8] = {0};
    int32_t at = offset;
    do {
        int32_t from = at;
        for (int32_t i = 0; i < n; i++) {
            *y++ = x[from];
            from += step;
        }
    } while (tw_next(inner, dims, index, strides, &at));
}
