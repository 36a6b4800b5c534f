/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_matmul_s32_xp
#define C_T int32_t
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include "tw_batch.h"
#include "tw_cluster.h"
#include "tw_xpulp.h"

/* Matrix products of 32-bit numbers, wrapping, on all cores.
 *
 * y [batch, m, n] = alpha * a [m, k] * b [k, n] + beta * c, with any element strides for a, b and c (0 repeats; c may be
 * NULL). `walk` has four rows of `batch_rank` numbers: the dimensions of the batch, and the steps of a, b and c along
 * them. Two rows by four columns at a time: eight products for six loads. */

struct steps {
    ptrdiff_t a_row, a_col, b_row, b_col; /* bytes */
};

/* Sums of two rows by four columns; a row or a column that does not exist has a step of 0. */
TW_ALWAYS_INLINE void tile(const int32_t *a_at, const int32_t *b_at, const struct steps *s, ptrdiff_t a_row, int32_t k,
                           uint32_t acc[8])
{
    const uint8_t *a = (const uint8_t *)a_at, *b = (const uint8_t *)b_at;
#if TW_XPULP
    uint32_t s0, s1, s2, s3, s4, s5, s6, s7, v, w, b0, b1, b2, b3;
    __asm__ volatile(".balign 4\n\t.option push\n\t.option norvc\n\t"
                     "mv %[s0], zero\n\tmv %[s1], zero\n\tmv %[s2], zero\n\tmv %[s3], zero\n\t"
                     "mv %[s4], zero\n\tmv %[s5], zero\n\tmv %[s6], zero\n\tmv %[s7], zero\n\t"
                     ".insn i 0x7b, 4, x0, %[n], 28\n\t" /* lp.setup 0: 14 instructions */
                     ".insn r 0x0b, 7, 0x10, %[v], %[a], %[a_next]\n\t" /* p.lw rd, rs2(rs1!) */
                     ".insn r 0x0b, 7, 0x10, %[b0], %[b], %[b_next]\n\t"
                     ".insn r 0x0b, 7, 0x10, %[b1], %[b], %[b_next]\n\t"
                     ".insn r 0x0b, 7, 0x10, %[b2], %[b], %[b_next]\n\t"
                     ".insn r 0x0b, 7, 0x10, %[b3], %[b], %[b_back]\n\t"
                     ".insn r 0x0b, 7, 0x10, %[w], %[a], %[a_back]\n\t"
                     ".insn r 0x33, 0, 0x21, %[s0], %[v], %[b0]\n\t" /* p.mac */
                     ".insn r 0x33, 0, 0x21, %[s1], %[v], %[b1]\n\t"
                     ".insn r 0x33, 0, 0x21, %[s2], %[v], %[b2]\n\t"
                     ".insn r 0x33, 0, 0x21, %[s3], %[v], %[b3]\n\t"
                     ".insn r 0x33, 0, 0x21, %[s4], %[w], %[b0]\n\t"
                     ".insn r 0x33, 0, 0x21, %[s5], %[w], %[b1]\n\t"
                     ".insn r 0x33, 0, 0x21, %[s6], %[w], %[b2]\n\t"
                     ".insn r 0x33, 0, 0x21, %[s7], %[w], %[b3]\n\t"
                     ".option pop\n\t"
                     : [a] "+r"(a), [b] "+r"(b), [s0] "=&r"(s0), [s1] "=&r"(s1), [s2] "=&r"(s2), [s3] "=&r"(s3),
                       [s4] "=&r"(s4), [s5] "=&r"(s5), [s6] "=&r"(s6), [s7] "=&r"(s7), [v] "=&r"(v), [w] "=&r"(w), [b0] "=&r"(b0),
                       [b1] "=&r"(b1), [b2] "=&r"(b2), [b3] "=&r"(b3)
                     : [n] "r"(k), [a_next] "r"(a_row), [a_back] "r"(s->a_col - a_row), [b_next] "r"(s->b_col),
                       [b_back] "r"(s->b_row - 3 * s->b_col)
                     : "memory");
    acc[0] = s0;
    acc[1] = s1;
    acc[2] = s2;
    acc[3] = s3;
    acc[4] = s4;
    acc[5] = s5;
    acc[6] = s6;
    acc[7] = s7;
#else
    for (int i = 0; i < 8; i++) {
        acc[i] = 0;
    }
    for (; k > 0; k--, a += s->a_col, b += s->b_row) {
        for (int i = 0; i < 8; i++) {
            acc[i] += tw_load_word(a + i / 4 * a_row) * tw_load_word(b + i % 4 * s->b_col);
        }
    }
#endif
}

/* Four sums of a row. */
TW_ALWAYS_INLINE void put(const uint32_t *acc, int32_t *y)
{
    y[0] = tw_signed(acc[0]);
    y[1] = tw_signed(acc[1]);
    y[2] = tw_signed(acc[2]);
    y[3] = tw_signed(acc[3]);
}

/* `count` sums of one or two rows. */
TW_NEVER_INLINE void put_some(const uint32_t *acc, int32_t *y, int32_t y_row, int32_t rows, int32_t count)
{
    for (int32_t i = 0; i < rows; i++, acc += 4, y += y_row) {
        for (int32_t j = 0; j < count; j++) {
            y[j] = tw_signed(acc[j]);
        }
    }
}

/* y = alpha * y + beta * c */
TW_NEVER_INLINE void scale(int32_t *y, int32_t y_row, int32_t rows, int32_t count, const C_T *c, int32_t c_row,
                           int32_t c_col, int32_t alpha, int32_t beta)
{
    for (int32_t i = 0; i < rows; i++, y += y_row) {
        for (int32_t j = 0; j < count; j++) {
            uint32_t v = (uint32_t)alpha * (uint32_t)y[j];
            if (c != NULL) {
                v += (uint32_t)beta * (uint32_t)(int32_t)c[(ptrdiff_t)i * c_row + (ptrdiff_t)j * c_col];
            }
            y[j] = tw_signed(v);
        }
    }
}

void TW_KERNEL(const int32_t *a, const int32_t *b, const C_T *c, int32_t *y, int32_t m, int32_t k, int32_t n,
               int32_t a_row, int32_t a_col, int32_t b_row, int32_t b_col, int32_t c_row, int32_t c_col, int32_t alpha,
               int32_t beta, int32_t batch, int32_t batch_rank, const int32_t *walk)
{
    /* Items are pairs of rows by four columns; behind each other lie those that share the rows. */
    const int32_t pairs = (m + 1) / 2, blocks = (n + 3) / 4;
    const struct tw_range part = tw_split((size_t)batch * (size_t)pairs * (size_t)blocks, 1);
    const int scaled = alpha != 1 || c != NULL;
    const struct steps steps = {4 * (ptrdiff_t)a_row, 4 * (ptrdiff_t)a_col, 4 * (ptrdiff_t)b_row, 4 * (ptrdiff_t)b_col};
    int32_t left = (int32_t)part.end - (int32_t)part.begin, line = tw_divide((int32_t)part.begin, blocks);
    int32_t block = (int32_t)part.begin - line * blocks, t = tw_divide(line, pairs), pair = line - t * pairs;
    for (; left > 0; t++, pair = 0) {
        const int32_t *ta = a + tw_batch_offset(t, batch_rank, walk, walk + batch_rank);
        const int32_t *tb = b + tw_batch_offset(t, batch_rank, walk, walk + 2 * batch_rank);
        const C_T *tc = c != NULL ? c + tw_batch_offset(t, batch_rank, walk, walk + 3 * batch_rank) : NULL;
        for (; pair < pairs && left > 0; pair++, block = 0) {
            const int32_t row = 2 * pair, rows = m - row < 2 ? 1 : 2;
            for (; block < blocks && left > 0; block++, left--) {
                /* The last columns are computed with those before them. */
                const int32_t o = 4 * block, count = n - o < 4 ? n - o : 4, first = n < 4 ? 0 : o + count - 4;
                int32_t *const py = y + ((ptrdiff_t)t * m + row) * n + o;
                uint32_t acc[8];
                if (count == 4 && rows == 2) {
                    /* These sums never leave the registers. */
                    uint32_t sums[8];
                    tile(ta + (ptrdiff_t)row * a_row, tb + (ptrdiff_t)o * b_col, &steps, steps.a_row, k, sums);
                    put(sums, py);
                    put(sums + 4, py + n);
                } else if (n >= 4) {
                    tile(ta + (ptrdiff_t)row * a_row, tb + (ptrdiff_t)first * b_col, &steps, rows == 2 ? steps.a_row : 0, k,
                         acc);
                } else {
                    for (int32_t j = 0; j < n; j++) {
                        const struct steps one = {0, steps.a_col, steps.b_row, 0};
                        uint32_t column[8];
                        tile(ta + (ptrdiff_t)row * a_row, tb + (ptrdiff_t)j * b_col, &one, rows == 2 ? steps.a_row : 0, k,
                             column);
                        acc[j] = column[0];
                        acc[4 + j] = column[4];
                    }
                }
                if (count < 4 || rows < 2) {
                    put_some(acc + (o - first), py, n, rows, count);
                }
                if (scaled) {
                    const C_T *pc = tc != NULL ? tc + (ptrdiff_t)row * c_row + (ptrdiff_t)o * c_col : NULL;
                    scale(py, n, rows, count, pc, c_row, c_col, alpha, beta);
                }
            }
        }
    }
}
