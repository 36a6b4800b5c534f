/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_integer_div_rq
#define A_T int32_t
#define B_T int32_t
#define M_T int32_t
#define D_T int32_t
#define Y_T int8_t
#endif
/* tilewright: end */
#include <stdint.h>

#include "tw_integer_div.h"
#include "tw_loops.h"
#include "tw_requant.h"

/* y = n / d rounded to nearest, with n = numerator * num and d = eta * den + eps; 0 where d is 0; requantised. Over `loops` (at most 8)
 * dimensions, outermost first, each with a step for num and for den (0 where that operand repeats). y may be an
 * operand of its own size. */
void TW_KERNEL(const A_T *num, const B_T *den, Y_T *y, int32_t loops, const int32_t *dims,
               const int32_t *num_strides, const int32_t *den_strides, int64_t numerator, int64_t eta, int64_t eps,
               const M_T *mul, const D_T *add, int shift, int32_t lo, int32_t hi)
{
    const int32_t inner = loops - 1;
    int32_t index[8] = {0};
    int32_t ia = 0;
    int32_t ib = 0;
    do {
        int32_t ja = ia;
        int32_t jb = ib;
        for (int32_t i = 0; i < dims[inner]; i++) {
            const int32_t quotient = tw_integer_quotient(num[ja], den[jb], numerator, eta, eps);
            *y++ = (Y_T)tw_requant(quotient, *mul, *add, shift, lo, hi);
            ja += num_strides[inner];
            jb += den_strides[inner];
        }
    } while (tw_next_pair(inner, dims, index, num_strides, &ia, den_strides, &ib));
}
