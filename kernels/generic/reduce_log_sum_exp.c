/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_reduce_log_sum_exp
#endif
/* tilewright: end */
#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "tw_loops.h"

/* The logarithm of the sum of exponentials over the reduced dimensions, for every index of the kept dimensions, with the
 * running maximum taken out so that nothing overflows. `dims` and `strides` hold the kept dimensions (`keep` of them),
 * then the reduced ones (`reduce` of them), outermost first; at most 8 each. */
void TW_KERNEL(const float *x, float *y, int32_t keep, int32_t reduce, const int32_t *dims, const int32_t *strides)
{
    const int32_t *r_dims = dims + keep;
    const int32_t *r_strides = strides + keep;
    const int32_t inner = reduce - 1;
    int32_t outer_index[8] = {0};
    int32_t base = 0;
    do {
        int32_t index[8] = {0};
        int32_t at = base;
        float top = -INFINITY;
        float sum = 0.0f;
        do {
            for (int32_t i = 0; i < r_dims[inner]; i++) {
                const float v = x[at + i * r_strides[inner]];
                if (v > top) {
                    sum = (sum > 0.0f ? sum * expf(top - v) : 0.0f) + 1.0f;
                    top = v;
                } else if (v > -INFINITY || v != v) {
                    sum += v == top ? 1.0f : expf(v - top);
                }
            }
        } while (tw_next(inner, r_dims, index, r_strides, &at));
        *y++ = isinf(top) ? top : top + logf(sum);
    } while (tw_next(keep, dims, outer_index, strides, &base));
}
