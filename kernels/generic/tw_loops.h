/* Nested loops over two operands that broadcast, without a loop per dimension. */
#ifndef TW_LOOPS_H
#define TW_LOOPS_H

#include <stdint.h>

/* Goes on to the next innermost row: counts `index` on and moves the offsets a and b of the row by their steps. 0 if
 * that was the last one. The last of the `loops` dimensions, along the row, is the caller's. */
static inline int tw_next_pair(int32_t loops, const int32_t *dims, int32_t *index, const int32_t *a_steps, int32_t *a,
                               const int32_t *b_steps, int32_t *b)
{
    for (int32_t d = loops - 2; d >= 0; d--) {
        *a += a_steps[d];
        *b += b_steps[d];
        if (++index[d] < dims[d]) {
            return 1;
        }
        *a -= a_steps[d] * dims[d];
        *b -= b_steps[d] * dims[d];
        index[d] = 0;
    }
    return 0;
}

#endif
