/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_tables
#define X_T int8_t
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

/* Reads x through one table per axis: result index i on axis d is index tables[d][i] of x. The tables of all `loops` (at
 * most 8) axes lie end to end, as long as `dims` says; `shape` is that of x. Below these axes, runs of `inner` elements
 * are copied whole. Of the first axis the results `begin` to `end` are computed. */
void TW_KERNEL(const X_T *x, X_T *y, int32_t inner, int32_t begin, int32_t end, int32_t loops, const int32_t *dims,
               const int32_t *shape, const int32_t *tables)
{
    int32_t index[8] = {begin};
    int32_t d;
    do {
        const int32_t *table = tables;
        int32_t at = 0;
        for (d = 0; d < loops; d++) {
            at = at * shape[d] + table[index[d]];
            table += dims[d];
        }
        for (int32_t i = 0; i < inner; i++) {
            *y++ = x[(ptrdiff_t)at * inner + i];
        }
        for (d = loops - 1; d >= 0; d--) {
            if (++index[d] < (d == 0 ? end : dims[d])) {
                break;
            }
            index[d] = 0;
        }
    } while (d >= 0);
}
