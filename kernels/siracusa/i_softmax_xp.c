/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_i_softmax_xp
#define X_T int8_t
#define X_MIN INT8_MIN
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include "tw_bytes.h"
#include "tw_cluster.h"
#include "tw_rows.h"
#include "tw_xpulp.h"

/* Integer softmax of rows, on all cores, each of which has rows of its own; every intermediate fits 32 bits. */

/* Exponentials of 0 to -255, the last one first. */
struct exponentials {
    int32_t a, b, c, log2;
    uint32_t recip;
    uint32_t *table;
};

/* The shifted parabola that stands for exp(-t); t is 0..255, t * recip >> 24 is t / log2. */
TW_ALWAYS_INLINE uint32_t exponential(const struct exponentials *e, uint32_t t)
{
    const uint32_t z = tw_minu(t * e->recip >> 24, 31);
    const int32_t p = (int32_t)z * e->log2 - (int32_t)t + e->b;
    return (uint32_t)((e->a * p * p + e->c) >> z);
}

/* Few elements: every exponential is computed. */
TW_NEVER_INLINE void direct(const X_T *x, uint8_t *y, int32_t len, const struct exponentials *e, uint32_t top)
{
    const int32_t max = tw_row_largest((const uint8_t *)x, len, X_MIN < 0);
    uint32_t sum = 0, inverse;
    for (int32_t i = 0; i < len; i++) {
        sum += exponential(e, (uint32_t)(max - x[i]));
    }
    inverse = sum > 1 ? UINT32_MAX / sum : UINT32_MAX;
    for (int32_t i = 0; i < len; i++) {
        const uint32_t n = exponential(e, (uint32_t)(max - x[i])) * top;
        /* n / sum: the inverse is too small by less than one in 2^32, so the estimate by at most one. */
        const uint32_t estimate = (uint32_t)(((uint64_t)n * inverse) >> 32);
        y[i] = (uint8_t)(n - estimate * sum >= sum ? estimate + 1 : estimate);
    }
}

/* Exponentials of x[i], from their table's place for 0, summed. */
TW_ALWAYS_INLINE uint32_t sum_of(const X_T *x, const uint32_t *zero, int32_t len)
{
    uint32_t sum = 0;
    if ((len & 1) != 0) {
        sum = zero[*x++];
    }
#if TW_XPULP
    if (len > 1) {
        uint32_t v, w;
        __asm__ volatile(TW_LOOP_OPEN
                         ".insn i 0x7b, 4, x0, %[n], 16\n\t" /* lp.setup 0 */
                         ".insn i 0x0b, %[load], %[v], 1(%[x])\n\t" /* p.lb(u) rd, 1(rs1!) */
                         ".insn i 0x0b, %[load], %[w], 1(%[x])\n\t"
                         "slli %[v], %[v], 2\n\t"
                         "slli %[w], %[w], 2\n\t"
                         ".insn r 0x03, 7, 0x10, %[v], %[t], %[v]\n\t" /* p.lw rd, rs2(rs1) */
                         ".insn r 0x03, 7, 0x10, %[w], %[t], %[w]\n\t"
                         "add %[sum], %[sum], %[v]\n\t"
                         "add %[sum], %[sum], %[w]\n\t"
                         TW_LOOP_CLOSE
                         : [x] "+r"(x), [sum] "+r"(sum), [v] "=&r"(v), [w] "=&r"(w)
                         : [t] "r"(zero), [n] "r"(len >> 1), [load] "i"(X_MIN < 0 ? 0 : 4)
                         : "memory");
    }
#else
    for (int32_t i = len & 1; i < len; i++) {
        sum += zero[*x++];
    }
#endif
    return sum;
}

/*
 * y = e * top / sum of exponentials e below 2^24: e * share / 2^24, share being top * 2^24 / sum rounded down, is at most
 * one too small.
 */
TW_ALWAYS_INLINE void quotients(const X_T *x, const uint32_t *zero, uint8_t *y, int32_t len, uint32_t top,
                                uint32_t share, uint32_t sum)
{
#if TW_XPULP
    uint32_t v, q, r;
    __asm__ volatile(TW_LOOP_OPEN
                     ".insn i 0x7b, 4, x0, %[n], 24\n\t" /* lp.setup 0 */
                     ".insn i 0x0b, %[load], %[v], 1(%[x])\n\t" /* p.lb(u) rd, 1(rs1!) */
                     "mv %[q], zero\n\t"
                     "slli %[v], %[v], 2\n\t"
                     ".insn r 0x03, 7, 0x10, %[v], %[t], %[v]\n\t" /* p.lw rd, rs2(rs1) */
                     "addi %[r], %[sum], -1\n\t"
                     ".insn r 0x33, 0, 0x21, %[q], %[v], %[share]\n\t" /* p.mac */
                     "srli %[q], %[q], 24\n\t"
                     ".insn r 0x33, 1, 0x21, %[r], %[v], %[top]\n\t" /* p.msu */
                     ".insn r 0x33, 0, 0x21, %[r], %[q], %[sum]\n\t"
                     "srai %[r], %[r], 31\n\t"
                     "sub %[q], %[q], %[r]\n\t"
                     ".insn s 0x2b, 0, %[q], 1(%[y])\n\t" /* p.sb rs2, 1(rs1!) */
                     TW_LOOP_CLOSE
                     : [x] "+r"(x), [y] "+r"(y), [v] "=&r"(v), [q] "=&r"(q), [r] "=&r"(r)
                     : [t] "r"(zero), [n] "r"(len), [load] "i"(X_MIN < 0 ? 0 : 4), [share] "r"(share), [top] "r"(top),
                       [sum] "r"(sum)
                     : "memory");
#else
    for (int32_t i = 0; i < len; i++) {
        const uint32_t e = zero[x[i]], q = e * share >> 24;
        y[i] = (uint8_t)(e * top - q * sum >= sum ? q + 1 : q);
    }
#endif
}

/* `rows` rows of `len` elements. `scratch` has 1024 bytes, or is NULL. y may be x. */
void TW_KERNEL(const X_T *x, uint8_t *y, int32_t rows, int32_t len, int32_t a, int32_t b, int32_t c, int32_t log2,
               uint32_t recip, int32_t top, void *scratch)
{
    const struct tw_range part = tw_split((size_t)rows, 1);
    const struct exponentials e = {a, b, c, log2, recip, (uint32_t *)scratch};
    /* No parabola's argument is further from 0. */
    const int64_t far = b > 128 ? b : 255 - b;
    const int by_table = scratch != NULL && rows * len >= TW_TABLE_PAYS && a * far * far + c < 1 << 24;
    if (by_table) {
        const struct tw_range own = tw_split_shared(256);
        for (size_t i = own.begin; i < own.end; i++) {
            e.table[i] = exponential(&e, 255 - (uint32_t)i);
        }
        tw_barrier();
    }
    x += (ptrdiff_t)part.begin * len;
    y += (ptrdiff_t)part.begin * len;
    for (size_t r = part.begin; r < part.end; r++, x += len, y += len) {
        if (by_table) {
            const uint32_t *zero = e.table + 255 - tw_row_largest((const uint8_t *)x, len, X_MIN < 0);
            uint32_t sum = sum_of(x, zero, len);
            sum = sum > 0 ? sum : 1;
            quotients(x, zero, y, len, (uint32_t)top, ((uint32_t)top << 24) / sum, sum);
        } else {
            direct(x, y, len, &e, (uint32_t)top);
        }
    }
}
