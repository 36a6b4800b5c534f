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
 * of a, b and (unused) c along them. mul and add have one element (step 0) or one for each column (step 1); 8 <= shift < 32;
 * `fits` says that requantisation fits 32 bits. */

struct job {
    int32_t k;
    int32_t n;
    int32_t a_tap; /* along k */
    int32_t b_tap;
    int32_t b_next; /* from column to column */
    struct tw_scaling scaling;
};

/* What words leave over, or cannot read: `count` columns, taps i to k - 1. */
TW_NEVER_INLINE void rest(const struct job *job, uint32_t *acc, const A_T *x, const B_T *w, int32_t count, int32_t i)
{
    for (; count > 0; count--, acc++, w += job->b_next) {
        const A_T *a = x + (ptrdiff_t)i * job->a_tap;
        const B_T *b = w + (ptrdiff_t)i * job->b_tap;
        uint32_t sum = *acc;
        for (int32_t n = job->k - i; n > 0; n--, a += job->a_tap, b += job->b_tap) {
            sum = tw_mac(sum, (uint32_t)(int32_t)*a, (uint32_t)(int32_t)*b);
        }
        *acc = sum;
    }
}

/* Columns o to end - 1 of a row. */
TW_NEVER_INLINE void line(const struct job *job, const A_T *x, const B_T *b, int32_t o, int32_t end, uint8_t *y)
{
    const int32_t words = job->k >> 2, in_words = job->a_tap == 1 && job->n >= 4;
    if (words == 1 && job->k == 4 && job->a_tap == 1 && job->b_tap == 1 && job->scaling.is_narrow) {
        tw_words_run(&job->scaling.narrow, tw_load_word(x), b + (ptrdiff_t)o * job->b_next, job->b_next, y + o, end - o);
        return;
    }
    for (; o < end; o += 4) {
        /* The last columns of all are computed with those before them, but only they are stored. */
        const int32_t count = end - o < 4 ? end - o : 4, back = job->n < 4 ? 0 : 4 - count;
        const B_T *w = b + (ptrdiff_t)(o - back) * job->b_next;
        uint32_t acc[4] = {0, 0, 0, 0};
        int32_t done = 0;
        if (in_words && job->b_tap == 1) {
            tw_dots_rows(acc, x, w, job->b_next, words);
            done = 4 * words;
        } else if (in_words && job->b_next == 1) {
            tw_dots_columns(acc, x, w, job->b_tap, words);
            done = 4 * words;
        }
        if (done < job->k) {
            rest(job, acc, x, w, job->n < 4 ? job->n : 4, done);
        }
        tw_scale(&job->scaling, acc + back, o, count, y + o);
    }
}

void TW_KERNEL(const A_T *a, const B_T *b, Y_T *y, int32_t m, int32_t k, int32_t n, int32_t a_row, int32_t a_col,
               int32_t b_row, int32_t b_col, int32_t batch, int32_t batch_rank, const int32_t *walk, const int32_t *mul,
               const int32_t *add, int32_t mul_step, int32_t add_step, int shift, int32_t lo, int32_t hi, int fits)
{
    /* Items are blocks of four columns of rows; cores get ranges of them. */
    const int32_t blocks = (n + 3) >> 2;
    const struct tw_range part = tw_split((size_t)batch * (size_t)m * (size_t)blocks, 1);
    int32_t left = (int32_t)part.end - (int32_t)part.begin, row = tw_divide((int32_t)part.begin, blocks);
    int32_t block = (int32_t)part.begin - row * blocks, t = tw_divide(row, m), next = 0;
    uint8_t *py = (uint8_t *)y + (ptrdiff_t)row * n;
    struct job job = {k, n, a_col, b_row, b_col, {0}};
    if (left <= 0) {
        return;
    }
    row -= t * m;
    tw_scaling(&job.scaling, mul, add, mul_step, add_step, shift, lo, hi, fits);
    for (; left > 0; t++, row = 0) {
        const A_T *ta = a;
        const B_T *tb = b;
        if (batch_rank == 1) {
            ta += (ptrdiff_t)t * walk[1];
            tb += (ptrdiff_t)t * walk[2];
        } else {
            ta += tw_batch_offset(t, batch_rank, walk, walk + batch_rank);
            tb += tw_batch_offset(t, batch_rank, walk, walk + 2 * batch_rank);
        }
        for (ta += (ptrdiff_t)row * a_row; row < m && left > 0; row++, ta += a_row, py += n, left -= next, block = 0) {
            next = blocks - block < left ? blocks - block : left;
            line(&job, ta, tb, 4 * block, 4 * (block + next) < n ? 4 * (block + next) : n, py);
        }
    }
}
