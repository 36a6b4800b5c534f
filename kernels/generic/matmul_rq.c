/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_matmul_rq
#define TW_REQUANT tw_requant
#define A_T int8_t
#define B_T int8_t
#define C_T int32_t
#define M_T int32_t
#define D_T int32_t
#define Y_T int8_t
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include "tw_batch.h"
#include "tw_requant.h"

/* Matrix products of integers, requantised.
 *
 * y [batch, m, n] = alpha * a [m, k] * b [k, n] + beta * c, with any element strides for a, b and c (0 repeats; c
 * may be NULL). `walk` has four rows of `batch_rank` numbers: the dimensions of the batch, and the steps of a, b and
 * c along them. Four columns at a time share the loads of a.
 * Counting the rows of all products by r, row r and column j are requantised by element
 * r / rq_inner % rq_count * mul_row + j * mul_col of mul; likewise for add. */

/* acc[j] += the dot product of a row of a and of the j-th of four (or one) columns of b. */
static inline void dot4(const A_T *a, ptrdiff_t a_step, const B_T *b, ptrdiff_t b_step, ptrdiff_t b_next,
                        int32_t count, uint32_t acc[4])
{
    const B_T *b1 = b + b_next, *b2 = b1 + b_next, *b3 = b2 + b_next;
    uint32_t a0 = acc[0], a1 = acc[1], a2 = acc[2], a3 = acc[3];
    for (int32_t i = 0; i < count; i++) {
        const uint32_t v = (uint32_t)*a;
        const uint32_t u0 = (uint32_t)*b, u1 = (uint32_t)*b1, u2 = (uint32_t)*b2, u3 = (uint32_t)*b3;
        a0 += v * u0;
        a1 += v * u1;
        a2 += v * u2;
        a3 += v * u3;
        a += a_step;
        b += b_step;
        b1 += b_step;
        b2 += b_step;
        b3 += b_step;
    }
    acc[0] = a0;
    acc[1] = a1;
    acc[2] = a2;
    acc[3] = a3;
}

/* As dot4, for columns beside each other. */
static inline void row4(const A_T *a, ptrdiff_t a_step, const B_T *b, ptrdiff_t b_step, int32_t count, uint32_t acc[4])
{
    uint32_t a0 = acc[0], a1 = acc[1], a2 = acc[2], a3 = acc[3];
    for (int32_t i = 0; i < count; i++) {
        const uint32_t v = (uint32_t)*a;
        const uint32_t u0 = (uint32_t)b[0], u1 = (uint32_t)b[1], u2 = (uint32_t)b[2], u3 = (uint32_t)b[3];
        a0 += v * u0;
        a1 += v * u1;
        a2 += v * u2;
        a3 += v * u3;
        a += a_step;
        b += b_step;
    }
    acc[0] = a0;
    acc[1] = a1;
    acc[2] = a2;
    acc[3] = a3;
}

static inline void dot1(const A_T *a, ptrdiff_t a_step, const B_T *b, ptrdiff_t b_step, int32_t count,
                        uint32_t acc[1])
{
    uint32_t a0 = acc[0];
    for (int32_t i = 0; i < count; i++) {
        a0 += (uint32_t)*a * (uint32_t)*b;
        a += a_step;
        b += b_step;
    }
    acc[0] = a0;
}

void TW_KERNEL(const A_T *a, const B_T *b, const C_T *c, Y_T *y,
               int32_t m, int32_t k, int32_t n, int32_t a_row, int32_t a_col, int32_t b_row, int32_t b_col,
               int32_t c_row, int32_t c_col, int32_t alpha, int32_t beta,
               int32_t batch, int32_t batch_rank, const int32_t *walk,
               const M_T *mul, const D_T *add, int32_t mul_row, int32_t mul_col, int32_t add_row, int32_t add_col,
               int32_t rq_inner, int32_t rq_count, int shift, int32_t lo, int32_t hi)
{
    for (int32_t t = 0; t < batch; t++) {
        const A_T *ta = a + tw_batch_offset(t, batch_rank, walk, walk + batch_rank);
        const B_T *tb = b + tw_batch_offset(t, batch_rank, walk, walk + 2 * batch_rank);
        const ptrdiff_t tc = tw_batch_offset(t, batch_rank, walk, walk + 3 * batch_rank);
        for (int32_t i = 0; i < m; i++) {
            const C_T *pc = c != NULL ? c + tc + (ptrdiff_t)i * c_row : NULL;
            const int32_t channel = (t * m + i) / rq_inner % rq_count;
            const M_T *pm = mul + channel * mul_row;
            const D_T *pa = add + channel * add_row;
            int32_t o = 0;
            while (o < n) {
                const int32_t block = n - o >= 4 ? 4 : 1;
                uint32_t acc[4] = {0, 0, 0, 0};
                const A_T *row = ta + (ptrdiff_t)i * a_row;
                const B_T *w = tb + (ptrdiff_t)o * b_col;
                if (block == 4 && b_col == 1) {
                    row4(row, a_col, w, b_row, k, acc);
                } else if (block == 4) {
                    dot4(row, a_col, w, b_row, b_col, k, acc);
                } else {
                    dot1(row, a_col, w, b_row, k, acc);
                }
                for (int32_t j = 0; j < block; j++) {
                    const uint32_t v = (uint32_t)alpha * acc[j]
                        + (c != NULL ? (uint32_t)beta * (uint32_t)pc[(o + j) * c_col] : 0u);
                    *y++ = (Y_T)TW_REQUANT((int32_t)v, pm[(o + j) * mul_col], pa[(o + j) * add_col], shift, lo, hi);
                }
                o += block;
            }
        }
    }
}
