/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_concat
#define TW_COPY_H <string.h>
#define TW_COPY memcpy
#define X_T int8_t
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include TW_COPY_H

/* Puts one operand (`outer` rows of `run` elements) into rows of `row` elements of the result, `offset` elements in;
 * nothing to do where it already lies there. */
void TW_KERNEL(const X_T *x, X_T *y, int32_t outer, int32_t run, int32_t row, int32_t offset)
{
    y += offset;
    if (x == y) {
        return;
    }
    for (int32_t i = 0; i < outer; i++) {
        TW_COPY(y + (ptrdiff_t)i * row, x + (ptrdiff_t)i * run, (size_t)run * sizeof(X_T));
    }
}
