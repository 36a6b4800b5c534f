/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_product_packed
#define TW_PRODUCT_H "tw_product.h"
#define A_T int8_t
#define A_MIN INT8_MIN
#define Y_T int8_t
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tw_batch.h"
#include "tw_requant.h"
#include TW_PRODUCT_H

/* Columns of b in rows4: four columns take turns, four bytes of each; where there are none, zeros. */
static void pack(const int8_t *b, int8_t *to, int32_t k, int32_t n, int32_t b_row, int32_t b_col)
{
    for (int32_t o = 0; o < n; o += 4) {
        for (int32_t i = 0; i < k; i += 4) {
            const int8_t *from = b + o * b_col + i * b_row;
            for (int32_t j = 0; j < 4; j++, from += b_col, to += 4) {
                if (o + j < n && i + 4 <= k && b_row == 1) {
                    memcpy(to, from, 4);
                } else if (o + j < n && i + 4 <= k) {
                    to[0] = from[0];
                    to[1] = from[b_row];
                    to[2] = from[2 * b_row];
                    to[3] = from[3 * b_row];
                } else {
                    for (int32_t d = 0; d < 4; d++) {
                        to[d] = o + j < n && i + d < k ? from[d * b_row] : 0;
                    }
                }
            }
        }
    }
}

/*
 * Matrix products of bytes, as they are where results have 32 bits, or requantised in 32 bits: a row by four columns at a time.
 *
 * y [batch, m, n] = a [m, k] * b [k, n], with any element strides; `walk` has the dimensions of the batch, and the steps of a
 * and of b. `room` holds b in rows4, and a row. mul and add have one element (step 0) or one for each column.
 */
void TW_KERNEL(const A_T *a, const int8_t *b, Y_T *y, int8_t *room, int32_t m, int32_t k, int32_t n, int32_t a_row,
               int32_t a_col, int32_t b_row, int32_t b_col, int32_t batch, int32_t batch_rank, const int32_t *walk,
               const int32_t *mul, const int32_t *add, int32_t mul_step, int32_t add_step, int shift, int32_t lo, int32_t hi)
{
    const int32_t column = (k + 3) / 4 * 4;
    A_T *const row = (A_T *)(room + (n + 3) / 4 * 4 * column);
    for (int32_t t = 0; t < batch; t++) {
        const A_T *x = a + tw_batch_offset(t, batch_rank, walk, walk + batch_rank);
        pack(b + tw_batch_offset(t, batch_rank, walk, walk + 2 * batch_rank), room, k, n, b_row, b_col);
        for (int32_t i = 0; i < m; i++, x += a_row) {
            const A_T *from = x;
            if (a_col != 1) {
                for (int32_t j = 0; j < k; j++) {
                    row[j] = x[j * a_col];
                }
                from = row;
            }
            for (int32_t o = 0; o < n; o += 4) {
                uint32_t acc[4] = {0, 0, 0, 0};
                tw_sums(from, room + o * column, k, acc, A_MIN < 0);
                for (int32_t j = 0; j < 4 && o + j < n; j++) {
                    *y++ = sizeof(Y_T) == 4
                        ? (Y_T)acc[j]
                        : (Y_T)tw_requant_32((int32_t)acc[j], mul[(o + j) * mul_step], add[(o + j) * add_step], shift, lo, hi);
                }
            }
        }
    }
}
