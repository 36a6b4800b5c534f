/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_pad_constant
#define X_T int8_t
#endif
/* tilewright: end */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tw_loops.h"

/* Fills y with `value`, then copies a box of x into it: `dims`, over `loops` (1 to 8) dimensions, outermost first, with
 * steps in x and y, the innermost of which is 1. */
void TW_KERNEL(const X_T *x, X_T *y, int32_t n, X_T value, int32_t x_offset, int32_t y_offset, int32_t loops,
               const int32_t *dims, const int32_t *x_strides, const int32_t *y_strides)
{
    int32_t index[8] = {0};
    int32_t from = x_offset;
    int32_t to = y_offset;
    for (int32_t i = 0; i < n; i++) {
        y[i] = value;
    }
    for (int32_t d = 0; d < loops; d++) {
        if (dims[d] == 0) {
            return;
        }
    }
    do {
        memcpy(y + to, x + from, (size_t)dims[loops - 1] * sizeof(X_T));
    } while (tw_next_pair(loops - 1, dims, index, x_strides, &from, y_strides, &to));
}
