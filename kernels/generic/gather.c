/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_gather
#define X_T float
#define I_T int64_t
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Copies the slices (`inner` elements each) that `count` indices pick from an axis of `size`, for each of `outer`
 * blocks. Negative indices count from the end; one out of range picks the nearest end. */
void TW_KERNEL(const X_T *x, const I_T *indices, X_T *y, int32_t outer, int32_t size, int32_t inner, int32_t count)
{
    for (int32_t o = 0; o < outer; o++) {
        for (int32_t i = 0; i < count; i++) {
            int64_t at = (int64_t)indices[i];
            at = at < 0 ? at + size : at;
            at = at < 0 ? 0 : at >= size ? size - 1 : at;
            memcpy(y, x + (ptrdiff_t)at * inner, (size_t)inner * sizeof(X_T));
            y += inner;
        }
        x += (ptrdiff_t)size * inner;
    }
}
