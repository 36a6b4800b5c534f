/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_i_rms_norm_xp
#define X_T int8_t
#define X_MIN INT8_MIN
#define W_T int32_t
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include "tw_cluster.h"
#include "tw_rows.h"

/*
 * `n` elements of a row: (x * w / std) >> shift, clipped; gives the weights' bits: with one from 2^22 on (2^21 where
 * bytes have no sign) products are not below 2^29, and the results may be wrong. std is 4 .. 256.
 */
TW_ALWAYS_INLINE uint32_t quotients(const X_T *x, const W_T *w, int32_t w_step, int8_t *y, int32_t n, struct tw_divisor std,
                                    int shift, int32_t lo, int32_t hi)
{
    uint32_t large = 0;
#if TW_XPULP
    uint32_t v, p, q;
    __asm__ volatile(".balign 4\n\t.option push\n\t.option norvc\n\t"
                     ".insn i 0x7b, 4, x0, %[n], 26\n\t" /* lp.setup 0: 13 instructions */
                     ".insn r 0x0b, 7, 0x10, %[p], %[w], %[step]\n\t" /* p.lw rd, rs2(rs1!) */
                     ".insn i 0x0b, %[load], %[v], 1(%[x])\n\t" /* p.lb(u) rd, 1(rs1!) */
                     ".insn r 0x33, 0, 0x02, %[q], %[p], x0\n\t" /* p.abs */
                     "mul %[p], %[p], %[v]\n\t"
                     "or %[large], %[large], %[q]\n\t"
                     "mulh %[q], %[p], %[m]\n\t"
                     "srli %[p], %[p], 31\n\t"
                     "sra %[q], %[q], %[s]\n\t"
                     "add %[q], %[q], %[p]\n\t"
                     "sra %[q], %[q], %[shift]\n\t"
                     ".insn r 0x33, 6, 0x02, %[q], %[q], %[lo]\n\t" /* p.max */
                     ".insn r 0x33, 4, 0x02, %[q], %[q], %[hi]\n\t" /* p.min */
                     ".insn s 0x2b, 0, %[q], 1(%[y])\n\t" /* p.sb rs2, 1(rs1!) */
                     ".option pop\n\t"
                     : [x] "+r"(x), [w] "+r"(w), [y] "+r"(y), [large] "+r"(large), [v] "=&r"(v), [p] "=&r"(p), [q] "=&r"(q)
                     : [n] "r"(n), [step] "r"(4 * w_step), [load] "i"(X_MIN < 0 ? 0 : 4), [m] "r"(std.factor), [s] "r"(std.s),
                       [shift] "r"(shift), [lo] "r"(lo), [hi] "r"(hi)
                     : "memory");
#else
    for (; n > 0; n--, x++, w += w_step) {
        const int32_t p = tw_signed((uint32_t)(int32_t)*x * (uint32_t)*w);
        const int32_t q = (int32_t)(((int64_t)p * std.factor) >> (32 + std.s)) + (p < 0);
        large |= tw_abs((uint32_t)*w);
        *y++ = (int8_t)tw_signed(tw_min(tw_max((uint32_t)(q >> shift), (uint32_t)lo), (uint32_t)hi));
    }
#endif
    return large;
}

/* Elements first .. end - 1 of a row, whatever they are. */
TW_NEVER_INLINE void slow(const X_T *x, const W_T *w, int32_t w_step, int8_t *y, int32_t first, int32_t end,
                          uint32_t std, int shift, int32_t lo, int32_t hi)
{
    const uint32_t reciprocal = tw_reciprocal(std);
    for (int32_t i = first; i < end; i++) {
        const int64_t q = tw_quotient(x[i], (int32_t)w[i * w_step], std, reciprocal) >> shift;
        y[i] = (int8_t)(q < lo ? lo : q > hi ? hi : q);
    }
}

/* Integer RMS normalisation of each of `rows` rows of `len` elements, on all cores: clip(((x * w) / std) >> shift, lo, hi)
 * with std = isqrt(sum(x^2) / len + 1). There is one weight (step 0) or one for each element of a row (step 1). Cores
 * share rows too: each one sums those it has elements of. y is not x. */
void TW_KERNEL(const X_T *x, const W_T *weight, int8_t *y, int32_t rows, int32_t len, int32_t weight_step, int shift,
               int32_t lo, int32_t hi)
{
    const struct tw_range part = tw_split((size_t)rows * (size_t)len, 4);
    int32_t at = (int32_t)part.begin, row = tw_divide(at, len), first = at - row * len;
    while (at < (int32_t)part.end) {
        const X_T *px = x + (ptrdiff_t)row * len;
        const int32_t rest = (int32_t)part.end - at, end = len - first < rest ? len : first + rest;
        uint32_t sum, squares, std;
        tw_row_sums((const uint8_t *)px, len, X_MIN < 0, &sum, &squares);
        std = tw_root(squares / (uint32_t)len + 1u);
        at += end - first;
        if (sizeof(W_T) != 4 || shift > 31 || std < 4
            || quotients(px + first, weight + (ptrdiff_t)first * weight_step, weight_step, y + (ptrdiff_t)row * len + first,
                         end - first, tw_divisor(std), shift, lo, hi) >> (X_MIN < 0 ? 22 : 21) != 0) {
            slow(px, weight, weight_step, y + (ptrdiff_t)row * len, first, end, std, shift, lo, hi);
        }
        row++;
        first = 0;
    }
}
