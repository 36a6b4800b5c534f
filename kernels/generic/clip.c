/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_clip
#define X_T float
#endif
/* tilewright: end */
#include <math.h>
#include <stddef.h>
#include <stdint.h>

/* y = min(max(x, lo), hi), element by element; y may be x. */
void TW_KERNEL(const X_T *x, X_T *y, int32_t n, X_T lo, X_T hi)
{
    for (int32_t i = 0; i < n; i++) {
        const X_T v = x[i] < lo ? lo : x[i];
        y[i] = v > hi ? hi : v;
    }
}
