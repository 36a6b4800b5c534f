/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_where
#define A_T float
#define B_T float
#define Y_T float
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

/* condition ? a : b over `loops` (at most 8) dimensions, outermost first. `steps` has a row of `loops` steps for each of
 * condition, a and b (0 where it repeats). */
void TW_KERNEL(const uint8_t *condition, const A_T *a, const B_T *b, Y_T *y, int32_t loops, const int32_t *dims,
               const int32_t *steps)
{
    const int32_t inner = loops - 1;
    const int32_t *sc = steps;
    const int32_t *sa = sc + loops;
    const int32_t *sb = sa + loops;
    int32_t index[8] = {0};
    int32_t ic = 0;
    int32_t ia = 0;
    int32_t ib = 0;
    int32_t d;
    do {
        for (int32_t i = 0; i < dims[inner]; i++) {
            const uint8_t c = condition[ic + i * sc[inner]];
            *y++ = c != 0 ? (Y_T)a[ia + i * sa[inner]] : (Y_T)b[ib + i * sb[inner]];
        }
        for (d = inner - 1; d >= 0; d--) {
            ic += sc[d];
            ia += sa[d];
            ib += sb[d];
            if (++index[d] < dims[d]) {
                break;
            }
            ic -= sc[d] * dims[d];
            ia -= sa[d] * dims[d];
            ib -= sb[d] * dims[d];
            index[d] = 0;
        }
    } while (d >= 0);
}
