/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_add_rq
#define TW_REQUANT tw_requant
#define A_T int8_t
#define B_T int8_t
#define M_T int32_t
#define D_T int32_t
#define Y_T int8_t
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include "tw_requant.h"

/* a + b, requantised, over `loops` (at most 8) dimensions, outermost first. `steps` has a row of `loops` steps for each
 * of a, b, mul and add (0 where it repeats). y may be an operand of its own size. */
void TW_KERNEL(const A_T *a, const B_T *b, const M_T *mul, const D_T *add, Y_T *y, int32_t loops, const int32_t *dims,
               const int32_t *steps, int shift, int32_t lo, int32_t hi)
{
    const int32_t inner = loops - 1;
    const int32_t *sa = steps;
    const int32_t *sb = sa + loops;
    const int32_t *sm = sb + loops;
    const int32_t *sd = sm + loops;
    int32_t index[8] = {0};
    int32_t ia = 0;
    int32_t ib = 0;
    int32_t im = 0;
    int32_t id = 0;
    int32_t d;
    do {
        for (int32_t i = 0; i < dims[inner]; i++) {
            const uint32_t sum = (uint32_t)a[ia + i * sa[inner]] + (uint32_t)b[ib + i * sb[inner]];
            const M_T m = mul[im + i * sm[inner]];
            *y++ = (Y_T)TW_REQUANT((int32_t)sum, m, add[id + i * sd[inner]], shift, lo, hi);
        }
        for (d = inner - 1; d >= 0; d--) {
            ia += sa[d];
            ib += sb[d];
            im += sm[d];
            id += sd[d];
            if (++index[d] < dims[d]) {
                break;
            }
            ia -= sa[d] * dims[d];
            ib -= sb[d] * dims[d];
            im -= sm[d] * dims[d];
            id -= sd[d] * dims[d];
            index[d] = 0;
        }
    } while (d >= 0);
}
