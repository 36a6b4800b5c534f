/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_copy
#define X_T float
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* y = x, which may be the same place. */
void TW_KERNEL(const X_T *x, X_T *y, int32_t n)
{
    if (x != y) {
        memmove(y, x, (size_t)n * sizeof(X_T));
    }
}
