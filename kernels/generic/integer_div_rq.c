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

/* y = n / d rounded to nearest, with n = numerator * num and d = eta * den + eps; 0 where d is 0; requantised. Over `loops` (at most 8)
 * dimensions, outermost first, each with a step for num and for den (0 where that operand repeats). y may be an
 * operand of its own size. */
void TW_KERNEL(const A_T *num, const B_T *den, Y_T *y, int32_t loops, const int32_t *dims,
               const int32_t *num_strides, const int32_t *den_strides, int64_t numerator, int64_t eta, int64_t eps,
               const M_T *mul, const D_T *add, int shift, int32_t lo, int32_t hi)
{
    const int32_t inner = loops - 1, count = dims[inner], num_step = num_strides[inner], den_step = den_strides[inner];
    const M_T m = *mul;
    const uint64_t d = (uint64_t)*add + ((UINT64_C(1) << shift) >> 1);
    int32_t index[8] = {0};
    int32_t ia = 0;
    int32_t ib = 0;
    do {
        const A_T *pa = num + ia;
        const B_T *pb = den + ib;
        struct tw_divisor by = tw_divisor_of(eta * *pb + eps);
        for (int32_t i = 0; i < count; i++, pa += num_step) {
            if (den_step != 0 && i > 0) {
                pb += den_step;
                by = tw_divisor_of(eta * *pb + eps);
            }
            /* Which of the products has 32 bits by 32 the compiler sees only here. */
            const int32_t q = tw_integer_quotient(numerator * *pa, &by);
            const uint64_t product = sizeof(M_T) == 4 ? (uint64_t)((int64_t)q * (int32_t)m) : (uint64_t)(int64_t)q * (uint64_t)m;
            const int64_t scaled = (int64_t)(product + d) >> shift;
            const int32_t low = (int32_t)(uint32_t)(uint64_t)scaled;
            *y++ = (Y_T)(scaled != low ? (scaled < 0 ? lo : hi) : low < lo ? lo : low > hi ? hi : low);
        }
    } while (tw_next_pair(inner, dims, index, num_strides, &ia, den_strides, &ib));
}
