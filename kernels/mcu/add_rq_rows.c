/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_add_rq_rows
#define TW_SUMS_H "tw_add_row.h"
#define A_T int8_t
#define B_T int8_t
#define Y_T int8_t
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include "tw_loops.h"
#include TW_SUMS_H

/* a + b, requantised in 32 bits by one multiplier and addend, over `loops` (at most 8) dimensions, outermost first. `steps`
 * begins with a row of `loops` steps for a, and one for b (0 where it repeats); the last ones are 0 or 1. y may be an operand
 * of its own size. */
void TW_KERNEL(const A_T *a, const B_T *b, const int32_t *mul, const int32_t *add, Y_T *y, int32_t loops,
               const int32_t *dims, const int32_t *steps, int shift, int32_t lo, int32_t hi)
{
    const int32_t inner = loops - 1, n = dims[inner], a_step = steps[inner], b_step = steps[loops + inner];
    const struct tw_add s = tw_add_of(*mul, *add, shift, lo, hi);
    int32_t index[8] = {0};
    int32_t ia = 0;
    int32_t ib = 0;
    do {
        const A_T *pa = a + ia;
        const B_T *pb = b + ib;
        if (a_step && b_step) {
            TW_ADD_ROW(A_T, pa, 1, B_T, pb, 1, Y_T, y, n, s)
        } else if (a_step) {
            TW_ADD_ROW(A_T, pa, 1, B_T, pb, 0, Y_T, y, n, s)
        } else {
            TW_ADD_ROW(A_T, pa, 0, B_T, pb, 1, Y_T, y, n, s)
        }
        y += n;
    } while (tw_next_pair(inner, dims, index, steps, &ia, steps + loops, &ib));
}
