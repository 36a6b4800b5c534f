/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_matmul_xp
#define A_T int8_t
#define A_MIN INT8_MIN
#define B_T int8_t
#define B_MIN INT8_MIN
#define C_T int32_t
#define Y_T int8_t
#define Y_BITS 8
#define TW_PACKED 1
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#define TW_X_SIGNED (A_MIN < 0)
#define TW_W_SIGNED (B_MIN < 0)
#include "tw_batch.h"
#include "tw_cluster.h"
#include "tw_pack.h"
#include "tw_tile.h"

/* Matrix products of bytes, on all cores.
 *
 * y [batch, m, n] = alpha * a [m, k] * b [k, n] + beta * c, with any steps in elements for a, b and c (0 repeats; c may be
 * NULL). `walk` has four rows of `batch_rank` numbers: the dimensions of the batch, and the steps of a, b and c along
 * them. y's rows are y_row elements apart, its matrices y_batch.
 * Where TW_PACKED is 1, b is packed in blocks of four columns (rows4; matrices behind each other); else each core packs
 * the four columns it works on into scratch, as it does with four rows of a where they are not made of whole words.
 * Each core has `room` bytes of scratch: 4 * k, k rounded up to whole words, for each of a and b that it packs; it packs a
 * also where there are factors or c has rows.
 * mul and add have one element (step 0) or one for each column (step 1); for a result of 32 bits they are NULL and
 * nothing is requantised. */

#if Y_BITS == 32
#define RQ(job) NULL
#else
#define RQ(job) (&(job)->rq)
#endif

struct job {
    struct tw_tile tile;
    struct tw_channels channels;
    struct tw_rq rq;
    int32_t first; /* column of the block */
    int32_t count; /* columns of the block, 1 to 4 */
    ptrdiff_t y_row;
    /* c, where it is not a bias of columns or there are factors; NULL otherwise. */
    const C_T *c;
    int32_t c_row, c_col, alpha, beta;
    int32_t scaled;
};

/* Bytes of a row of a that a core copies. */
#define ROW 512

/* Where matrix t of an operand begins; one dimension is walked without divisions. */
TW_NEVER_INLINE ptrdiff_t matrix(int32_t t, int32_t rank, const int32_t *walk, int32_t operand)
{
    return rank == 1 ? (ptrdiff_t)t * walk[operand] : tw_batch_offset(t, rank, walk, walk + operand * rank);
}

struct shape {
    int32_t k, n, b_row, b_col;
};

/* acc = alpha * acc + beta * c of `rows` rows from `row`. */
TW_NEVER_INLINE void scale(struct job *job, int32_t row, int rows)
{
    for (int32_t p = 0; p < rows; p++) {
        for (int32_t j = 0; j < job->count; j++) {
            uint32_t v = (uint32_t)job->alpha * (uint32_t)job->tile.acc[4 * p + j];
            if (job->c != NULL) {
                const C_T c = job->c[(ptrdiff_t)(row + p) * job->c_row + (ptrdiff_t)(job->first + j) * job->c_col];
                v += (uint32_t)job->beta * (uint32_t)c;
            }
            job->tile.acc[4 * p + j] = tw_signed(v);
        }
    }
}

/* Rows first .. end - 1 of a, whole words each. */
TW_NEVER_INLINE void direct(struct job *job, const A_T *a, int32_t a_row, const void *w, int32_t first, int32_t end,
                            Y_T *y)
{
    const ptrdiff_t y_step = job->y_row * (ptrdiff_t)sizeof *y;
    const int32_t count = end - first;
    if (count >= 4) {
        tw_tile_quads(&job->tile, &job->channels, RQ(job), job->first, job->count, count / 4, a, a_row, 4, w, y, y_step);
    }
    if ((count & 3) != 0) {
        tw_tile_rest(&job->tile, &job->channels, RQ(job), job->first, job->count, count & 3,
                     a + (ptrdiff_t)(count & ~3) * a_row, a_row, w, y + (count & ~3) * job->y_row, y_step);
    }
}

/* Rows first .. end - 1 of a, copied to whole words four at a time; also where more is done than to requantise. */
TW_NEVER_INLINE void copied(struct job *job, const A_T *a, int32_t a_row, int32_t a_col, int32_t k, uint32_t *a_pack,
                            const void *w, int32_t first, int32_t end, Y_T *y)
{
    for (int32_t row = first; row < end; row += 4, a += 4 * (ptrdiff_t)a_row, y += 4 * job->y_row) {
        const int32_t rows = end - row < 4 ? end - row : 4;
        tw_pack4(a_pack, (const uint8_t *)a, k, a_row, a_col, rows);
        tw_tile_dot4(&job->tile, job->channels.bias, a_pack, 4, 16, w);
        if (job->scaled) {
            scale(job, row, rows);
        }
        tw_tile_results(&job->tile, &job->channels, RQ(job), job->first, job->count, rows, y,
                        job->y_row * (ptrdiff_t)sizeof *y);
    }
}

TW_NEVER_INLINE void next_block(struct job *job, const C_T *c, int32_t c_col, int32_t first, int32_t count, int32_t rows)
{
    job->first = first;
    job->count = count;
    for (int32_t j = 0; j < 4; j++) {
        job->channels.bias[j] = c != NULL && j < count
            ? tw_signed((uint32_t)job->beta * (uint32_t)c[(ptrdiff_t)(first + j) * c_col]) : 0;
    }
#if Y_BITS != 32
    if (rows > 2 || (job->rq.mul_step == 0 && job->rq.add_step == 0)) {
        tw_channels_requant(&job->channels, &job->rq, first, count);
    } else {
        /* For so few results, proving that 32 bits suffice costs more than it gains. */
        job->channels.narrow = 0;
    }
#else
    (void)rows;
#endif
}

/* `count` blocks of columns from `block` of one row of a, made of whole words. */
TW_NEVER_INLINE void one_row(struct job *job, const A_T *a, const B_T *b, const C_T *c, Y_T *y, int32_t block,
                             int32_t count, const struct shape *s, uint32_t *b_pack)
{
    const struct tw_rq *rq = &job->rq;
#if Y_BITS != 32
    const int32_t *mul = rq->mul + (ptrdiff_t)4 * block * rq->mul_step;
    const int32_t *add = rq->add + (ptrdiff_t)4 * block * rq->add_step;
    int32_t m = *mul, d = *add;
#endif
    /* Every block reads the row: in L1, where stacks are, it is near. */
    uint32_t near[ROW / 4];
    if (4 * job->tile.words <= ROW && count > 2) {
        tw_copy((uint8_t *)near, (const uint8_t *)a, 4 * job->tile.words);
        a = (const A_T *)(const void *)near;
    }
    for (; count > 0; count--, block++) {
        const int32_t o = 4 * block, columns = s->n - o < 4 ? s->n - o : 4;
        const void *w = b + (ptrdiff_t)o * 4 * job->tile.words;
        const int32_t *bias = job->channels.bias;
        if (sizeof(C_T) == 4 && c != NULL && job->beta == 1 && job->c_col == 1 && columns == 4) {
            bias = (const int32_t *)(const void *)(c + o);
        } else {
            for (int32_t j = 0; j < 4; j++) {
                job->channels.bias[j] = c != NULL && j < columns
                    ? tw_signed((uint32_t)job->beta * (uint32_t)c[(ptrdiff_t)(o + j) * job->c_col]) : 0;
            }
        }
        if (!TW_PACKED) {
            tw_pack4(b_pack, (const uint8_t *)b + (ptrdiff_t)o * s->b_col, s->k, s->b_col, s->b_row, columns);
            w = b_pack;
        }
        tw_tile_dot1(&job->tile, bias, a, w);
#if Y_BITS == 32
        (void)rq;
        for (int32_t j = 0; j < columns; j++) {
            y[o + j] = job->tile.acc[j];
        }
#else
        uint32_t word = 0;
        for (int32_t j = 0; j < columns; j++) {
            /* One factor for all is loaded once. */
            if (rq->mul_step != 0) {
                m = *mul++;
            }
            if (rq->add_step != 0) {
                d = *add++;
            }
            word |= ((uint32_t)tw_requant_wide(rq, job->tile.acc[j], m, d) & 0xffu) << (8 * j);
        }
        if (columns == 4) {
            tw_store_word(y + o, word);
        } else {
            for (int32_t j = 0; j < columns; j++, word >>= 8) {
                y[o + j] = (Y_T)(word & 0xffu);
            }
        }
#endif
    }
}

void TW_KERNEL(const A_T *a, const B_T *b, const C_T *c, Y_T *y,
               int32_t m, int32_t k, int32_t n, int32_t a_row, int32_t a_col, int32_t b_row, int32_t b_col,
               int32_t c_row, int32_t c_col, int32_t alpha, int32_t beta,
               int32_t batch, int32_t batch_rank, const int32_t *walk, int32_t y_row, int32_t y_batch,
               const int32_t *mul, const int32_t *add, int32_t mul_col, int32_t add_col, int shift,
               int32_t lo, int32_t hi, int fits, void *scratch, int32_t room)
{
    const int32_t words = (k + 3) / 4, blocks = (n + 3) / 4, quads = (m + 3) / 4;
    const int scaled = alpha != 1 || (c != NULL && c_row != 0 && m > 1), in_words = a_col == 1 && k % 4 == 0 && !scaled;
    uint32_t *const own = scratch != NULL ? (uint32_t *)scratch + (ptrdiff_t)tw_core_id() * (room / 4) : NULL;
    uint32_t *const a_pack = own, *const b_pack = own != NULL && !in_words ? own + 4 * words : own;
    int32_t parts = 1;
    const A_T *ta = a;
    const B_T *tb = b;
    const C_T *tc = c;
    const struct shape shape = {k, n, b_row, b_col};
    struct job job;

    job.y_row = y_row;
    job.rq = tw_rq(mul, add, mul_col, add_col, shift, lo, hi, fits);
    job.rq.reach = tw_reach(k);
    job.scaled = scaled;
    job.alpha = alpha;
    job.beta = beta;
    job.c_row = c_row;
    job.c_col = c_col;
    tw_tile_requant(&job.tile, &job.rq);
    job.tile.words = words;
    job.tile.runs = 1;
    job.tile.x_skip = 0;
    job.tile.w_skip = 0;

    if (m == 1 && batch == 1 && in_words) {
        /* The shortest way for the shortest products. */
        const struct tw_range own_blocks = tw_split((size_t)blocks, 1);
        const int32_t first = (int32_t)own_blocks.begin, count = (int32_t)own_blocks.end - first;
        if (count > 0) {
            one_row(&job, a, b, c, y, first, count, &shape, b_pack);
        }
        return;
    }
    while (parts < quads && blocks * batch * parts % tw_core_count() != 0
           && blocks * batch * parts < 12 * tw_core_count()) {
        parts++;
    }

    /* Items are ranges of rows of blocks of columns of matrices. */
    const struct tw_range part = tw_split((size_t)batch * (size_t)blocks * (size_t)parts, 1);
    int32_t item = (int32_t)part.begin;
    const int32_t line = tw_divide(item, parts);
    int32_t piece = item - line * parts, t = tw_divide(line, blocks), block = line - t * blocks, block_now = -1, batch_now = -1;
    while (item < (int32_t)part.end) {
        const int32_t first = parts > 1 ? 4 * (quads * piece / parts) : 0;
        const int32_t stop = parts > 1 ? 4 * (quads * (piece + 1) / parts) : m, end = stop < m ? stop : m;
        const int32_t count = n - 4 * block < 4 ? n - 4 * block : 4;
        Y_T *py = y + (ptrdiff_t)t * y_batch + (ptrdiff_t)first * y_row + (ptrdiff_t)block * 4;
        const void *w;

        if (t != batch_now) {
            const ptrdiff_t to_b = matrix(t, batch_rank, walk, 2);
            ta = a + matrix(t, batch_rank, walk, 1);
            tb = b + to_b;
            tc = c != NULL ? c + matrix(t, batch_rank, walk, 3) : NULL;
            if (TW_PACKED && to_b != 0) {
                /* Steps count elements of the matrix that was packed. */
                tb = b + (tb - b) / (k * n) * (16 * words * blocks);
            }
        }
        if (m == 1 && !job.scaled) {
            const int32_t left = (int32_t)part.end - item, some = blocks - block < left ? blocks - block : left;
            const A_T *row = ta;
            if (!in_words) {
                /* The row as whole words. */
                uint8_t *to = (uint8_t *)a_pack;
                for (int32_t i = 0; i < k; i++) {
                    *to++ = (uint8_t)ta[(ptrdiff_t)i * a_col];
                }
                tw_zero(to, 4 * words - k);
                row = (const A_T *)a_pack;
            }
            one_row(&job, row, tb, tc, y + (ptrdiff_t)t * y_batch, block, some, &shape, b_pack);
            item += some;
            block = 0;
            t++;
            continue;
        }
        if (t != batch_now || block != block_now) {
            job.c = job.scaled ? tc : NULL;
            next_block(&job, job.scaled ? NULL : tc, c_col, 4 * block, count, end - first);
            if (!TW_PACKED) {
                tw_pack4(b_pack, (const uint8_t *)tb + (ptrdiff_t)block * 4 * b_col, k, b_col, b_row, count);
            }
            batch_now = t;
            block_now = block;
        }
        w = TW_PACKED ? (const void *)(tb + (ptrdiff_t)block * 16 * words) : (const void *)b_pack;
        if (in_words) {
            direct(&job, ta + (ptrdiff_t)first * a_row, a_row, w, first, end, py);
        } else {
            copied(&job, ta + (ptrdiff_t)first * a_row, a_row, a_col, k, a_pack, w, first, end, py);
        }
        item++;
        if (++piece == parts) {
            piece = 0;
            if (++block == blocks) {
                block = 0;
                t++;
            }
        }
    }
}
