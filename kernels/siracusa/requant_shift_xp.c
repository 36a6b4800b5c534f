/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_requant_shift_xp
#define X_T int8_t
#define X_MIN INT8_MIN
#define X_BITS 8
#define Y_T int8_t
#define TW_FITS 1
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include "tw_bytes.h"
#include "tw_cluster.h"
#include "tw_requant_xp.h"

/* y = clip((x * mul + add + half) >> shift, lo, hi) of x [outer, channels, inner], on all cores; results are bytes. mul and
 * add have one element (step 0) or one for each channel (step 1). `table` has 2368 bytes of scratch memory, or is NULL: it
 * serves bytes with one multiplier and addend. y may be x where that has bytes. Where TW_FITS is 1, x * mul + add + half
 * fits 32 bits. */

#if TW_FITS
#define NARROW(narrow, mul, add) (tw_narrow_fits(narrow, mul, add, shift, lo, hi), 1)
#else
#define NARROW(narrow, mul, add) tw_narrow(narrow, mul, add, shift, lo, hi)
#endif

/* `n` elements `step` apart, by one multiplier and addend. */
TW_NEVER_INLINE void scale(const X_T *x, Y_T *y, int32_t n, ptrdiff_t step, int32_t mul, int32_t add, int shift,
                           int32_t lo, int32_t hi)
{
    struct tw_narrow narrow;
    if (NARROW(&narrow, mul, add)) {
        tw_narrow_run(&narrow, x, (int)sizeof *x, X_MIN < 0, step * (ptrdiff_t)sizeof *x, (uint8_t *)y, step, n);
    } else {
        const struct tw_rq rq = tw_rq(NULL, NULL, 0, 0, shift, lo, hi, 0);
        for (; n > 0; n--, x += step, y += step) {
            *y = (Y_T)tw_requant_wide(&rq, (int32_t)*x, mul, add);
        }
    }
}

void TW_KERNEL(const X_T *x, const int32_t *mul, const int32_t *add, Y_T *y, int32_t outer, int32_t channels,
               int32_t inner, int32_t mul_step, int32_t add_step, int shift, int32_t lo, int32_t hi, uint8_t *table)
{
    if (mul_step + add_step == 0) {
        const int32_t all = outer * channels * inner;
        const struct tw_range part = tw_split((size_t)all, 4);
        const int32_t count = (int32_t)(part.end - part.begin);
        x += part.begin;
        y += part.begin;
        struct tw_narrow narrow;
        if (X_BITS == 8 && table != NULL && all >= TW_TABLE_PAYS && NARROW(&narrow, *mul, *add)) {
            const struct tw_range own = tw_split_shared(256);
            for (size_t i = own.begin; i < own.end; i++) {
                table[i] = (uint8_t)tw_narrow_one(&narrow, (int32_t)(X_T)i);
            }
            tw_barrier();
            tw_map_bytes((const uint8_t *)x, tw_own_table(table, 256), (uint8_t *)y, count);
        } else {
            scale(x, y, count, 1, *mul, *add, shift, lo, hi);
        }
    } else {
        /* Cores share the outer blocks, or the channels if there are more. Where channels lie side by side, one is
         * done after the other: what is known of its multiplier serves all its elements. */
        const int by_outer = outer >= channels;
        const struct tw_range part = tw_split((size_t)(by_outer ? outer : channels), 1);
        const int32_t first = by_outer ? 0 : (int32_t)part.begin, last = by_outer ? channels : (int32_t)part.end;
        const int32_t o_first = by_outer ? (int32_t)part.begin : 0, o_last = by_outer ? (int32_t)part.end : outer;
        for (int32_t c = first; c < last; c++) {
            const int32_t m = mul[(ptrdiff_t)c * mul_step], a = add[(ptrdiff_t)c * add_step];
            ptrdiff_t at = ((ptrdiff_t)o_first * channels + c) * inner;
            if (inner == 1) {
                scale(x + at, y + at, o_last - o_first, channels, m, a, shift, lo, hi);
                continue;
            }
            for (int32_t o = o_first; o < o_last; o++, at += (ptrdiff_t)channels * inner) {
                scale(x + at, y + at, inner, 1, m, a, shift, lo, hi);
            }
        }
    }
}
