/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_binary_broadcast
#define A_T float
#define B_T float
#define Y_T float
#define WORK_T float
#define OP v + w
#endif
/* tilewright: end */
#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "tw_loops.h"

/* A function of two numbers (widened to WORK_T first), element by element, over `loops` (at most 8) dimensions, outermost first,
 * each with a step for a and for b (0 where that operand repeats). y may be an operand of its own size. */
void TW_KERNEL(const A_T *a, const B_T *b, Y_T *y, int32_t loops, const int32_t *dims,
               const int32_t *a_strides, const int32_t *b_strides)
{
    const int32_t inner = loops - 1, count = dims[inner], a_step = a_strides[inner], b_step = b_strides[inner];
    int32_t index[8] = {0};
    int32_t ia = 0;
    int32_t ib = 0;
    do {
        const A_T *pa = a + ia;
        const B_T *pb = b + ib;
        for (int32_t i = 0; i < count; i++, pa += a_step, pb += b_step) {
            const WORK_T v = *pa;
            const WORK_T w = *pb;
            *y++ = OP;
        }
    } while (tw_next_pair(inner, dims, index, a_strides, &ia, b_strides, &ib));
}
