/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_add_rq_xp
#define A_T int8_t
#define A_MIN INT8_MIN
#define B_T int8_t
#define B_MIN INT8_MIN
#define Y_T int8_t
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include "tw_bytes.h"
#include "tw_cluster.h"
#include "tw_requant_xp.h"

/* a + b of bytes, requantised by one multiplier and addend to bytes, on all cores: `rows` rows of `len` elements; operands
 * have a step from row to row and one from element to element, 0 where they repeat. `scratch` has 512 bytes of
 * memory, or is NULL; (a + b) * mul + add + half fits 32 bits. y may be an operand of its own size. */

void TW_KERNEL(const A_T *a, const B_T *b, const int32_t *mul, const int32_t *add, Y_T *y, int32_t rows, int32_t len,
               int32_t a_row, int32_t a_step, int32_t b_row, int32_t b_step, int shift, int32_t lo, int32_t hi,
               uint8_t *scratch)
{
    const int32_t all = rows * len, least = (int32_t)A_MIN + (int32_t)B_MIN;
    const struct tw_range part = tw_split((size_t)all, 4);
    struct tw_narrow narrow;
    int32_t at = (int32_t)part.begin, row = tw_divide(at, len), first = at - row * len;
    tw_narrow_fits(&narrow, *mul, *add, shift, lo, hi);
    const uint8_t *table = NULL;
    if (scratch != NULL && all >= 2 * TW_TABLE_PAYS) {
        const struct tw_range own = tw_split_shared(511);
        tw_requant_table(scratch + own.begin, (int32_t)own.begin + least, (int32_t)(own.end - own.begin), &narrow);
        tw_barrier();
        table = scratch;
    }
    for (; at < (int32_t)part.end; row++, first = 0) {
        const int32_t rest = (int32_t)part.end - at, count = len - first < rest ? len - first : rest;
        const A_T *pa = a + (ptrdiff_t)row * a_row + (ptrdiff_t)first * a_step;
        const B_T *pb = b + (ptrdiff_t)row * b_row + (ptrdiff_t)first * b_step;
        if (table != NULL) {
            tw_map_sums((const uint8_t *)pa, A_MIN < 0, a_step, (const uint8_t *)pb, B_MIN < 0, b_step, table - least,
                        (uint8_t *)y + at, count);
        } else {
            Y_T *py = y + at;
            for (int32_t i = 0; i < count; i++, pa += a_step, pb += b_step) {
                *py++ = (Y_T)tw_narrow_one(&narrow, (int32_t)*pa + (int32_t)*pb);
            }
        }
        at += count;
    }
}
