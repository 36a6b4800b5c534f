/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_integer_div
#define A_T int32_t
#define B_T int32_t
#endif
/* tilewright: end */
#include <stdint.h>

#include "tw_integer_div.h"
#include "tw_loops.h"

/* y = n / d rounded to nearest, with n = numerator * num and d = eta * den + eps; 0 where d is 0. Over `loops` (at most 8)
 * dimensions, outermost first, each with a step for num and for den (0 where that operand repeats). y may be an
 * operand of its own size. */
void TW_KERNEL(const A_T *num, const B_T *den, int32_t *y, int32_t loops, const int32_t *dims,
               const int32_t *num_strides, const int32_t *den_strides, int64_t numerator, int64_t eta, int64_t eps)
{
    const int32_t inner = loops - 1;
    int32_t index[8] = {0};
    int32_t ia = 0;
    int32_t ib = 0;
    do {
        int32_t ja = ia;
        int32_t jb = ib;
        struct tw_divisor by = tw_divisor_of(eta * den[jb] + eps);
        for (int32_t i = 0; i < dims[inner]; i++) {
            *y++ = tw_integer_quotient(numerator * num[ja], &by);
            ja += num_strides[inner];
            if (den_strides[inner] != 0 && i + 1 < dims[inner]) {
                jb += den_strides[inner];
                by = tw_divisor_of(eta * den[jb] + eps);
            }
        }
    } while (tw_next_pair(inner, dims, index, num_strides, &ia, den_strides, &ib));
}
