/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_i_layer_norm_xp
#define X_T int8_t
#define X_MIN INT8_MIN
#define W_T int32_t
#define B_T int32_t
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include "tw_cluster.h"
#include "tw_rows.h"

/*
 * `n` elements of a row: (((x - mean) * w) / std + b) >> shift, modulo 2^8; gives whether the results may be wrong, as a
 * weight is not below 2^21 or a bias not below 2^30. std is 4 .. 256.
 */
TW_ALWAYS_INLINE int quotients(const X_T *x, const W_T *w, ptrdiff_t w_step, const B_T *b, ptrdiff_t b_step, int8_t *y,
                               int32_t n, int32_t mean, struct tw_divisor std, int shift)
{
    uint32_t large = 0, larger = 0;
#if TW_XPULP
    uint32_t v, p, q;
    __asm__ volatile(".balign 4\n\t.option push\n\t.option norvc\n\t"
                     ".insn i 0x7b, 4, x0, %[n], 32\n\t" /* lp.setup 0: 16 instructions */
                     ".insn i 0x0b, %[load], %[v], 1(%[x])\n\t" /* p.lb(u) rd, 1(rs1!) */
                     ".insn r 0x0b, 7, 0x10, %[p], %[w], %[sw]\n\t" /* p.lw rd, rs2(rs1!) */
                     "sub %[v], %[v], %[mean]\n\t"
                     ".insn r 0x33, 0, 0x02, %[q], %[p], x0\n\t" /* p.abs */
                     "mul %[p], %[p], %[v]\n\t"
                     "or %[large], %[large], %[q]\n\t"
                     "mulh %[q], %[p], %[m]\n\t"
                     ".insn r 0x0b, 7, 0x10, %[v], %[b], %[sb]\n\t"
                     "srli %[p], %[p], 31\n\t"
                     "sra %[q], %[q], %[s]\n\t"
                     "add %[q], %[q], %[p]\n\t"
                     ".insn r 0x33, 0, 0x02, %[p], %[v], x0\n\t" /* p.abs */
                     "add %[q], %[q], %[v]\n\t"
                     "or %[larger], %[larger], %[p]\n\t"
                     "sra %[q], %[q], %[shift]\n\t"
                     ".insn s 0x2b, 0, %[q], 1(%[y])\n\t" /* p.sb rs2, 1(rs1!) */
                     ".option pop\n\t"
                     : [x] "+r"(x), [w] "+r"(w), [b] "+r"(b), [y] "+r"(y), [large] "+r"(large), [larger] "+r"(larger),
                       [v] "=&r"(v), [p] "=&r"(p), [q] "=&r"(q)
                     : [n] "r"(n), [sw] "r"(4 * w_step), [sb] "r"(4 * b_step), [load] "i"(X_MIN < 0 ? 0 : 4),
                       [mean] "r"(mean), [m] "r"(std.factor), [s] "r"(std.s), [shift] "r"(shift)
                     : "memory");
#else
    for (; n > 0; n--, x++, w += w_step, b += b_step) {
        const int32_t p = tw_signed((uint32_t)((int32_t)*x - mean) * (uint32_t)*w);
        const int32_t q = (int32_t)(((int64_t)p * std.factor) >> (32 + std.s)) + (p < 0);
        large |= tw_abs((uint32_t)*w);
        larger |= tw_abs((uint32_t)*b);
        *y++ = (int8_t)(uint8_t)(tw_signed((uint32_t)q + (uint32_t)*b) >> shift);
    }
#endif
    return large >> 21 != 0 || larger >> 30 != 0;
}

/* Elements first .. end - 1 of a row, whatever they are. */
TW_NEVER_INLINE void slow(const X_T *x, const W_T *w, int32_t w_step, const B_T *b, int32_t b_step, int8_t *y,
                          int32_t first, int32_t end, int32_t mean, uint32_t std, int shift)
{
    const uint32_t reciprocal = tw_reciprocal(std);
    for (int32_t i = first; i < end; i++) {
        const int64_t q = tw_quotient(x[i] - mean, (int32_t)w[i * w_step], std, reciprocal);
        y[i] = (int8_t)(uint8_t)((q + b[i * b_step]) >> shift);
    }
}

/* Integer layer normalisation of each of `rows` rows of `len` elements, on all cores: (((x - mean) * w) / std + b) >> shift,
 * modulo 2^8. There is one weight or bias (step 0) or one for each element of a row (step 1). Cores share rows too: each
 * one sums those it has elements of. y is not x. */
void TW_KERNEL(const X_T *x, const W_T *weight, const B_T *bias, int8_t *y, int32_t rows, int32_t len,
               int32_t weight_step, int32_t bias_step, int shift)
{
    const struct tw_range part = tw_split((size_t)rows * (size_t)len, 4);
    int32_t at = (int32_t)part.begin, row = tw_divide(at, len), first = at - row * len;
    while (at < (int32_t)part.end) {
        const X_T *px = x + (ptrdiff_t)row * len;
        const int32_t rest = (int32_t)part.end - at, end = len - first < rest ? len : first + rest;
        uint32_t sum, squares, std;
        int32_t mean;
        tw_row_sums((const uint8_t *)px, len, X_MIN < 0, &sum, &squares);
        mean = tw_signed(sum) / len;
        /* The sum of (x - mean)^2 is below 2^32. */
        squares += (uint32_t)mean * ((uint32_t)len * (uint32_t)mean - 2u * sum);
        std = tw_root(squares / (uint32_t)len + 1u);
        at += end - first;
        if (sizeof(W_T) != 4 || sizeof(B_T) != 4 || shift > 31 || std < 4
            || quotients(px + first, weight + (ptrdiff_t)first * weight_step, weight_step,
                         bias + (ptrdiff_t)first * bias_step, bias_step, y + (ptrdiff_t)row * len + first, end - first, mean,
                         tw_divisor(std), shift)) {
            slow(px, weight, weight_step, bias, bias_step, y + (ptrdiff_t)row * len, first, end, mean, std, shift);
        }
        row++;
        first = 0;
    }
}
