/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_matmul_f32_xp
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include "tw_batch.h"
#include "tw_cluster.h"
#include "tw_tile_f32.h"

/* Matrix products of floats, clipped to lo .. hi, on all cores.
 *
 * y [batch, m, n] = alpha * a [m, k] * b [k, n] + beta * c, with any steps in elements for a, b and c (0 repeats; c may be
 * NULL), k at least 1. `walk` has four rows of `batch_rank` numbers: the dimensions of the batch, and the steps of a, b
 * and c along them. y's rows are y_row elements apart, its matrices y_batch. */
void TW_KERNEL(const float *a, const float *b, const float *c, float *y,
               int32_t m, int32_t k, int32_t n, int32_t a_row, int32_t a_col, int32_t b_row, int32_t b_col,
               int32_t c_row, int32_t c_col, float alpha, float beta,
               int32_t batch, int32_t batch_rank, const int32_t *walk, int32_t y_row, int32_t y_batch,
               float lo, float hi)
{
    const struct tw_terms terms = {1, 1, k, 0, 0, a_col, 0, 0, b_row};
    const int32_t quads = (m + 3) / 4, blocks = (n + 3) / 4;
    const struct tw_range part = tw_split((size_t)batch * (size_t)quads * (size_t)blocks, 1);
    const int32_t line = tw_divide((int32_t)part.begin, blocks);
    int32_t t = tw_divide(line, quads), quad = line - t * quads, block = (int32_t)part.begin - line * blocks, now = -1;
    ptrdiff_t to_a = 0, to_b = 0, to_c = 0;
    for (int32_t item = (int32_t)part.begin; item < (int32_t)part.end; item++) {
        const int32_t rows = m - 4 * quad < 4 ? m - 4 * quad : 4, columns = n - 4 * block < 4 ? n - 4 * block : 4;
        float *py = y + (ptrdiff_t)t * y_batch + 4 * (ptrdiff_t)quad * y_row + 4 * (ptrdiff_t)block;
        float acc[16];
        if (t != now) {
            to_a = tw_batch_offset(t, batch_rank, walk, walk + batch_rank);
            to_b = tw_batch_offset(t, batch_rank, walk, walk + 2 * batch_rank);
            to_c = tw_batch_offset(t, batch_rank, walk, walk + 3 * batch_rank);
            now = t;
        }
        tw_terms_tile(&terms, a + to_a + 4 * (ptrdiff_t)quad * a_row, a_row, b + to_b + 4 * (ptrdiff_t)block * b_col,
                      b_col, rows, columns, acc);
        for (int32_t i = 0; i < rows; i++, py += y_row) {
            const float *sum = acc + 4 * i;
            if (c != NULL) {
                const float *pc = c + to_c + (4 * (ptrdiff_t)quad + i) * c_row + 4 * (ptrdiff_t)block * c_col;
                for (int32_t j = 0; j < columns; j++, pc += c_col) {
                    py[j] = tw_clip_f32(fmaf(beta, *pc, alpha * sum[j]), lo, hi);
                }
            } else if (columns == 4) {
                const float v0 = alpha * sum[0], v1 = alpha * sum[1], v2 = alpha * sum[2], v3 = alpha * sum[3];
                py[0] = tw_clip_f32(v0, lo, hi);
                py[1] = tw_clip_f32(v1, lo, hi);
                py[2] = tw_clip_f32(v2, lo, hi);
                py[3] = tw_clip_f32(v3, lo, hi);
            } else {
                for (int32_t j = 0; j < columns; j++) {
                    py[j] = tw_clip_f32(alpha * sum[j], lo, hi);
                }
            }
        }
        if (++block == blocks) {
            block = 0;
            if (++quad == quads) {
                quad = 0;
                t++;
            }
        }
    }
}
