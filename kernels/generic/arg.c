/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_arg
#define X_T float
#define BETTER v > best
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

/* The index of the best element on an axis of `size`; the last of several equals if `last`, else the first. */
void TW_KERNEL(const X_T *x, int64_t *y, int32_t outer, int32_t size, int32_t inner, int last)
{
    for (int32_t o = 0; o < outer; o++) {
        for (int32_t j = 0; j < inner; j++) {
            X_T best = x[j];
            int32_t at = 0;
            for (int32_t i = 1; i < size; i++) {
                const X_T v = x[(ptrdiff_t)i * inner + j];
                if (BETTER || (last && v == best)) {
                    best = v;
                    at = i;
                }
            }
            *y++ = at;
        }
        x += (ptrdiff_t)size * inner;
    }
}
