/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_product_mve
#define A_T int8_t
#define A_MIN INT8_MIN
#define Y_T int8_t
#endif
/* tilewright: end */
#include <arm_mve.h>
#include <stddef.h>
#include <stdint.h>

#include "tw_batch.h"
#include "tw_rows.h"

/* Columns of b in vectors4. */
static void pack(const int8_t *b, int8_t *to, int32_t k, int32_t n, int32_t b_row, int32_t b_col)
{
    const int32_t steps = (k + 15) / 16;
    if (b_row == 1) {
        for (int32_t o = 0; o < (n + 3) / 4 * 4; o++) {
            int8_t *at = to + o / 4 * 64 * steps + o % 4 * 16;
            for (int32_t left = o < n ? k : 0, s = 0; s < steps; s++, left -= 16, at += 64) {
                vstrbq_s8(at, vldrbq_z_s8(b + o * b_col + 16 * s, left > 0 ? vctp8q((uint32_t)left) : 0));
            }
        }
        return;
    }
    const uint32x4_t four = vidupq_n_u32(0, 1);
    const uint32x4_t from = vmulq_n_u32(four, (uint32_t)b_col), lanes = vshlq_n_u32(four, 4);
    for (int32_t o = 0; o < n; o += 4, b += 4 * b_col) {
        const mve_pred16_t p = vctp32q((uint32_t)(n - o));
        const int8_t *x = b;
        for (int32_t left = k; left > 0; left -= 16, to += 64) {
            int8_t *at = to;
            if (left < 16 || n - o < 4) {
                for (int32_t j = 0; j < 64; j += 16) {
                    vstrbq_s8(to + j, vdupq_n_s8(0));
                }
            }
            for (int32_t i = left < 16 ? left : 16; i > 0; i--, x += b_row) {
                vstrbq_scatter_offset_p_s32(at++, lanes, vldrbq_gather_offset_z_s32(x, from, p), p);
            }
        }
    }
}

/*
 * Matrix products of bytes, requantised in 32 bits: two rows by four columns at a time.
 *
 * y [batch, m, n] = a [m, k] * b [k, n]; rows of a are whole. `walk` has the dimensions of the batch, and the steps of a and of
 * b. `room` holds four multipliers and four addends for each four columns, two rows of a, and b in vectors4. mul and add have
 * one element (step 0) or one for each column.
 */
void TW_KERNEL(const A_T *a, const int8_t *b, Y_T *y, int32_t *room, int32_t m, int32_t k, int32_t n, int32_t a_row,
               int32_t b_row, int32_t b_col, int32_t batch, int32_t batch_rank, const int32_t *walk, const int32_t *mul,
               const int32_t *add, int32_t mul_step, int32_t add_step, int shift, int32_t lo, int32_t hi)
{
    const uint8x16_t turn = vdupq_n_u8(A_MIN == 0 ? 0x80 : 0);
    const int32_t steps = (k + 15) / 16;
    int8_t *const two = (int8_t *)(room + (n + 3) / 4 * 8), *const w = two + 32 * steps;
    struct tw_rows rows = {{two, two + 16 * steps}, steps, -shift, room + n / 4 * 8, {NULL, NULL}, lo, hi};
    for (int32_t t = 0; t < batch; t++) {
        const A_T *x = a + tw_batch_offset(t, batch_rank, walk, walk + batch_rank);
        pack(b + tw_batch_offset(t, batch_rank, walk, walk + 2 * batch_rank), w, k, n, b_row, b_col);
        tw_scales(room, A_MIN == 0 ? w : NULL, steps, n, mul, add, mul_step, add_step);
        for (int32_t left = m; left > 0; left -= 2) {
            const A_T *next = left > 1 ? x + a_row : x;
            Y_T *const y1 = left > 1 ? y + n : y;
            if (A_MIN == 0 || k % 16 != 0) {
                tw_copy_turned(two, x, 1, 0, k, turn);
                tw_copy_turned(two + 16 * steps, next, 1, 0, k, turn);
            } else {
                rows.x[0] = (const int8_t *)x;
                rows.x[1] = (const int8_t *)next;
            }
            tw_two_rows(&rows, w, room, y, y1, n);
            x = next + a_row;
            y = y1 + n;
        }
    }
}
