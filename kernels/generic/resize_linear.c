/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_resize_linear
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

/* Linear interpolation along one axis (of `size` elements, then `new_size`): result index i is between lower[i] and
 * upper[i], weighted by weights[i]. */
void TW_KERNEL(const float *x, float *y, int32_t outer, int32_t size, int32_t new_size, int32_t inner,
               const int32_t *lower, const int32_t *upper, const float *weights)
{
    for (int32_t o = 0; o < outer; o++) {
        for (int32_t i = 0; i < new_size; i++) {
            const float *a = x + (ptrdiff_t)lower[i] * inner;
            const float *b = x + (ptrdiff_t)upper[i] * inner;
            const float w = weights[i];
            for (int32_t j = 0; j < inner; j++) {
                *y++ = a[j] * (1.0f - w) + b[j] * w;
            }
        }
        x += (ptrdiff_t)size * inner;
    }
}
