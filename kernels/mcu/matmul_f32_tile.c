/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_matmul_f32_tile
#define TW_ANY 1
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include "tw_apart.h"
#include "tw_batch.h"
#include "tw_fma.h"

/* acc[4 * i + j] = the dot product of row i of one or two of a and column j of four of b. */
static inline void tile(const float *a, ptrdiff_t a_row, ptrdiff_t a_col, int rows, const float *b0, const float *b1,
                        const float *b2, const float *b3, ptrdiff_t step, int32_t k, float acc[8])
{
    const float *a1 = a + a_row;
    float s0 = 0.0f, s1 = 0.0f, s2 = 0.0f, s3 = 0.0f, t0 = 0.0f, t1 = 0.0f, t2 = 0.0f, t3 = 0.0f;
    for (int32_t i = 0; i < k; i++) {
        const float u = *a, v0 = *b0, v1 = *b1, v2 = *b2, v3 = *b3;
        a += a_col;
        s0 = TW_FMA(u, v0, s0);
        s1 = TW_FMA(u, v1, s1);
        s2 = TW_FMA(u, v2, s2);
        s3 = TW_FMA(u, v3, s3);
        if (rows > 1) {
            const float w = *a1;
            a1 += a_col;
            t0 = TW_FMA(w, v0, t0);
            t1 = TW_FMA(w, v1, t1);
            t2 = TW_FMA(w, v2, t2);
            t3 = TW_FMA(w, v3, t3);
        }
        b0 += step;
        b1 += step;
        b2 += step;
        b3 += step;
    }
    acc[0] = s0;
    acc[1] = s1;
    acc[2] = s2;
    acc[3] = s3;
    acc[4] = t0;
    acc[5] = t1;
    acc[6] = t2;
    acc[7] = t3;
}

/* Four columns, of which the last may stand for some that are not there; what is known of the steps is worth a loop. */
static inline void columns(const float *a, ptrdiff_t a_row, int rows, const float *b, ptrdiff_t b_row, ptrdiff_t b_col,
                           int32_t left, int32_t k, float acc[8])
{
    if (b_row == 1) {
        const float *b1 = left > 1 ? b + b_col : b, *b2 = left > 2 ? b1 + b_col : b1;
        tile(a, a_row, 1, rows, b, b1, b2, left > 3 ? b2 + b_col : b2, 1, k, acc);
    } else if (left > 3) {
        tile(a, a_row, 1, rows, b, b + 1, b + 2, b + 3, b_row, k, acc);
    } else {
        tile(a, a_row, 1, rows, b, left > 1 ? b + 1 : b, left > 2 ? b + 2 : b, b, b_row, k, acc);
    }
}

#if TW_ANY

/* The same for any steps. */
static TW_APART void any_columns(const float *a, ptrdiff_t a_row, ptrdiff_t a_col, const float *b, ptrdiff_t b_row,
                                 ptrdiff_t b_col, int32_t left, int32_t k, float acc[8])
{
    const float *b1 = left > 1 ? b + b_col : b, *b2 = left > 2 ? b1 + b_col : b1;
    tile(a, a_row, a_col, 2, b, b1, b2, left > 3 ? b2 + b_col : b2, b_row, k, acc);
}

#endif

/* Matrix products of floats, clipped to lo .. hi, two rows by four columns at a time.
 *
 * y [batch, m, n] = alpha * a [m, k] * b [k, n] + beta * c; any element strides for c (0 repeats), and with TW_ANY for a and b,
 * of which without it rows of a are whole, and rows of b or its columns; c may be NULL.
 * `walk` has four rows of `batch_rank` numbers: the dimensions of the batch, and the steps of a, b and c along them. */
void TW_KERNEL(const float *a, const float *b, const float *c, float *y, int32_t m, int32_t k, int32_t n, int32_t a_row,
               int32_t a_col, int32_t b_row, int32_t b_col, int32_t c_row, int32_t c_col, float alpha, float beta,
               int32_t batch, int32_t batch_rank, const int32_t *walk, float lo, float hi)
{
    (void)a_col;
    for (int32_t t = 0; t < batch; t++) {
        const float *ta = a + tw_batch_offset(t, batch_rank, walk, walk + batch_rank);
        const float *tb = b + tw_batch_offset(t, batch_rank, walk, walk + 2 * batch_rank);
        const float *tc = c != NULL ? c + tw_batch_offset(t, batch_rank, walk, walk + 3 * batch_rank) : NULL;
        for (int32_t i = 0; i < m; i += 2, ta += 2 * (ptrdiff_t)a_row) {
            const int32_t rows = m - i < 2 ? 1 : 2;
            for (int32_t o = 0; o < n; o += 4) {
                const float *w = tb + (ptrdiff_t)o * b_col;
                float acc[8];
#if TW_ANY
                if (a_col != 1 || (b_row != 1 && b_col != 1)) {
                    any_columns(ta, rows > 1 ? a_row : 0, a_col, w, b_row, b_col, n - o, k, acc);
                } else
#endif
                if (rows > 1) {
                    columns(ta, a_row, 2, w, b_row, b_col, n - o, k, acc);
                } else {
                    columns(ta, 0, 1, w, b_row, b_col, n - o, k, acc);
                }
                for (int32_t r = 0; r < rows; r++) {
                    for (int32_t j = 0; j < 4 && o + j < n; j++) {
                        const float add = tc != NULL ? beta * tc[(i + r) * c_row + (o + j) * c_col] : 0.0f;
                        const float v = alpha * acc[4 * r + j] + add;
                        y[(i + r) * n + o + j] = v < lo ? lo : v > hi ? hi : v;
                    }
                }
            }
        }
        y += (ptrdiff_t)m * n;
    }
}
