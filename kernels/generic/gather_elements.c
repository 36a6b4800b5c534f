/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_gather_elements
#define X_T float
#define I_T int64_t
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include "tw_loops.h"

/* Each element of y is the element of x at the same place, except along one axis (of `size` elements, `axis_stride`
 * apart), where the index says. `strides` are those of x, 0 on that axis; at most 8 loops. Negative indices count from
 * the end; one out of range picks the nearest end. */
void TW_KERNEL(const X_T *x, const I_T *indices, X_T *y, int32_t size, int32_t axis_stride, int32_t loops,
               const int32_t *dims, const int32_t *strides)
{
    int32_t index[8] = {0};
    int32_t base = 0;
    do {
        int64_t at = (int64_t)*indices++;
        at = at < 0 ? at + size : at;
        at = at < 0 ? 0 : at >= size ? size - 1 : at;
        *y++ = x[base + (int32_t)at * axis_stride];
    } while (tw_next(loops, dims, index, strides, &base));
}
