/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_requant_shift
#define TW_REQUANT tw_requant
#define X_T int32_t
#define M_T int32_t
#define D_T int32_t
#define Y_T int8_t
#endif
/* tilewright: end */
#include <stdint.h>

#include "tw_requant.h"

/* y = clip((x * mul + add + half) >> shift, lo, hi) of x [outer, channels, inner]; mul and add have one element (step 0)
 * or one for each channel (step 1). y may be x. */
void TW_KERNEL(const X_T *x, const M_T *mul, const D_T *add, Y_T *y, int32_t outer, int32_t channels, int32_t inner,
               int32_t mul_step, int32_t add_step, int shift, int32_t lo, int32_t hi)
{
    for (int32_t o = 0; o < outer; o++) {
        for (int32_t c = 0; c < channels; c++) {
            const M_T m = mul[c * mul_step];
            const D_T a = add[c * add_step];
            for (int32_t i = 0; i < inner; i++) {
                *y++ = (Y_T)TW_REQUANT((int32_t)*x++, m, a, shift, lo, hi);
            }
        }
    }
}
