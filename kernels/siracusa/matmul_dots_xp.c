/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_matmul_dots_xp
#define A_T int8_t
#define A_MIN INT8_MIN
#define B_T int8_t
#define B_MIN INT8_MIN
#define Y_T int8_t
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#define TW_X_SIGNED (A_MIN < 0)
#define TW_W_SIGNED (B_MIN < 0)
#include "tw_batch.h"
#include "tw_cluster.h"
#include "tw_dots.h"

/* Small products of bytes, y [batch, m, n] = a [m, k] * b [k, n], requantised to bytes, on all cores: nothing is packed. a and
 * b have any steps, in elements; `walk` has four rows of `batch_rank` numbers: the dimensions of the batch, and the steps
 * of a, b and (unused) c along them. mul and add have one element (step 0) or one for each column (step 1); 8 <= shift < 32. */

struct operand {
    const uint8_t *at;
    int32_t outer; /* from row to row of a, from column to column of b */
    int32_t tap;   /* along k */
};

/* What words leave over, or cannot read: `count` columns, taps i to k - 1. */
TW_NEVER_INLINE void rest(uint32_t acc[4], const struct operand *a, const struct operand *b, int32_t count, int32_t i,
                          int32_t k)
{
    for (int32_t j = 0; j < count; j++) {
        const A_T *pa = (const A_T *)(const void *)a->at + (ptrdiff_t)i * a->tap;
        const B_T *pb = (const B_T *)(const void *)b->at + (ptrdiff_t)j * b->outer + (ptrdiff_t)i * b->tap;
        uint32_t sum = acc[j];
        for (int32_t n = k - i; n > 0; n--, pa += a->tap, pb += b->tap) {
            sum = tw_mac(sum, (uint32_t)(int32_t)*pa, (uint32_t)(int32_t)*pb);
        }
        acc[j] = sum;
    }
}

void TW_KERNEL(const A_T *a, const B_T *b, Y_T *y, int32_t m, int32_t k, int32_t n, int32_t a_row, int32_t a_col,
               int32_t b_row, int32_t b_col, int32_t batch, int32_t batch_rank, const int32_t *walk, const int32_t *mul,
               const int32_t *add, int32_t mul_step, int32_t add_step, int shift, int32_t lo, int32_t hi)
{
    /* Items are blocks of four columns of rows; cores get ranges of them. */
    const int32_t blocks = (n + 3) / 4;
    const struct tw_range part = tw_split((size_t)batch * (size_t)m * (size_t)blocks, 1);
    int32_t left = (int32_t)part.end - (int32_t)part.begin, line = tw_divide((int32_t)part.begin, blocks);
    int32_t o = 4 * ((int32_t)part.begin - line * blocks), t = tw_divide(line, m), row = line - t * m;
    struct operand pa = {NULL, a_row, a_col}, pb = {NULL, b_col, b_row};
    struct tw_scaling scaling;
    if (left <= 0) {
        return;
    }
    tw_scaling(&scaling, mul, add, mul_step, add_step, shift, lo, hi);
    for (; left > 0; t++, row = 0) {
        const uint8_t *ta, *tb;
        if (batch_rank == 1) {
            ta = (const uint8_t *)a + (ptrdiff_t)t * walk[1];
            tb = (const uint8_t *)b + (ptrdiff_t)t * walk[2];
        } else {
            ta = (const uint8_t *)a + tw_batch_offset(t, batch_rank, walk, walk + batch_rank);
            tb = (const uint8_t *)b + tw_batch_offset(t, batch_rank, walk, walk + 2 * batch_rank);
        }
        for (; row < m && left > 0; row++, o = 0) {
            uint8_t *py = (uint8_t *)y + ((ptrdiff_t)t * m + row) * n;
            pa.at = ta + (ptrdiff_t)row * a_row;
            for (; o < n && left > 0; o += 4, left--) {
                /* The last columns are computed with those before them, but only they are stored. */
                const int32_t count = n - o < 4 ? n - o : 4, first = n < 4 ? 0 : o + count - 4, words = k >> 2;
                uint32_t acc[4] = {0, 0, 0, 0};
                int32_t done = a_col == 1 && n >= 4 ? 4 * words : 0;
                pb.at = tb + (ptrdiff_t)first * b_col;
                if (done != 0 && b_row == 1) {
                    tw_dots_rows(acc, pa.at, pb.at, b_col, words);
                } else if (done != 0 && b_col == 1) {
                    tw_dots_columns(acc, pa.at, pb.at, b_row, words);
                } else {
                    done = 0;
                }
                if (done < k) {
                    rest(acc, &pa, &pb, n < 4 ? n : 4, done, k);
                }
                tw_scale(&scaling, acc + (o - first), o, count, py + o);
            }
        }
    }
}
