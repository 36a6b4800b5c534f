/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_reduce
#define X_T float
#define Y_T float
#define ACC_T float
#define INIT 0.0f
#define STEP acc + v
#define RESULT acc
#endif
/* tilewright: end */
#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "tw_loops.h"

/* Folds the elements over the reduced dimensions into one, for every index of the kept dimensions. `dims` and `strides`
 * hold the kept ones (`keep` of them), then the reduced ones (`reduce` of them), outermost first; at most 8 each. `count`
 * elements make one result. */
void TW_KERNEL(const X_T *x, Y_T *y, int32_t count, int32_t keep, int32_t reduce, const int32_t *dims,
               const int32_t *strides)
{
    const int32_t *r_dims = dims + keep;
    const int32_t *r_strides = strides + keep;
    const int32_t inner = reduce - 1;
    int32_t outer_index[8] = {0};
    int32_t base = 0;
    (void)count;
    do {
        int32_t index[8] = {0};
        int32_t at = base;
        ACC_T acc = INIT;
        do {
            for (int32_t i = 0; i < r_dims[inner]; i++) {
                const X_T v = x[at + i * r_strides[inner]];
                acc = STEP;
            }
        } while (tw_next(inner, r_dims, index, r_strides, &at));
        *y++ = RESULT;
    } while (tw_next(keep, dims, outer_index, strides, &base));
}
