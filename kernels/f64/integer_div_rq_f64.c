/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_integer_div_rq_f64
#define A_T int32_t
#define B_T int32_t
#define Y_T int8_t
#endif
/* tilewright: end */
#include <math.h>
#include <stdint.h>

#include "tw_integer_div.h"
#include "tw_loops.h"
#include "tw_requant.h"

/* y = n / d rounded to nearest, with n = numerator * num and d = eta * den + eps; 0 where d is 0; requantised. Over `loops` (at
 * most 8) dimensions, outermost first, each with a step for num and for den (0 where that operand repeats). y may be an operand
 * of its own size.
 *
 * In floats of 64 bits: integers below 2^53 are exact, and no quotient of two of them is rounded up to an integer. */
void TW_KERNEL(const A_T *num, const B_T *den, Y_T *y, int32_t loops, const int32_t *dims,
               const int32_t *num_strides, const int32_t *den_strides, int64_t numerator, int64_t eta, int64_t eps,
               const int32_t *mul, const int32_t *add, int shift, int32_t lo, int32_t hi)
{
    const int32_t inner = loops - 1, count = dims[inner], num_step = num_strides[inner], den_step = den_strides[inner];
    const int32_t m = *mul;
    /* Products with quotients of 32 bits are exact too. */
    const int exact = m > -(1 << 20) && m < 1 << 20 && shift < 52;
    const double factor = m, addend = (double)*add + (double)((UINT64_C(1) << shift) >> 1);
    const double scale = 1.0 / (double)(UINT64_C(1) << shift), least = lo, most = hi, times = (double)numerator;
    const double slope = (double)eta, offset = (double)eps;
    int32_t index[8] = {0};
    int32_t ia = 0;
    int32_t ib = 0;
    do {
        const A_T *pa = num + ia;
        const B_T *pb = den + ib;
        for (int32_t left = count; left > 0; pb += den_step) {
            const double divisor = slope * *pb + offset, half = floor(0.5 * divisor);
            const double limit = exact && divisor > 0 ? 2147483648.0 : 0.0;
            const int32_t alike = den_step != 0 ? 1 : left;
            left -= alike;
            for (int32_t i = 0; i < alike; i++, pa += num_step) {
                const double n = times * *pa;
                const double q = trunc((n < 0 ? n - half : n + half) / divisor);
                int32_t v = (int32_t)fmax(least, fmin(most, floor((q * factor + addend) * scale)));
                if (!(fabs(q) < limit)) {
                    v = tw_requant(tw_wide_quotient(numerator * *pa, eta * *pb + eps), m, *add, shift, lo, hi);
                }
                *y++ = (Y_T)v;
            }
        }
    } while (tw_next_pair(inner, dims, index, num_strides, &ia, den_strides, &ib));
}
