/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_split
#define X_T int8_t
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Copies `run` elements, `offset` elements in, from each of `outer` rows of `row` elements. */
void TW_KERNEL(const X_T *x, X_T *y, int32_t outer, int32_t run, int32_t row, int32_t offset)
{
    for (int32_t i = 0; i < outer; i++) {
        memcpy(y + (ptrdiff_t)i * run, x + offset + (ptrdiff_t)i * row, (size_t)run * sizeof(X_T));
    }
}
