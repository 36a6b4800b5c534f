/*
 * Loops over bytes: functions of one byte or of a sum of two as tables, and requantisation without one. Each loop is
 * one hardware loop of few instructions, none of which waits for the load before it.
 */
#ifndef TW_BYTES_H
#define TW_BYTES_H

#include <stddef.h>
#include <stdint.h>

#include "tw_requant_xp.h"
#include "tw_xpulp.h"

/* Results of `count` numbers from `first` on. */
static inline void tw_requant_table(uint8_t *table, int32_t first, int32_t count, const struct tw_narrow *narrow)
{
    for (int32_t i = first; i < first + count; i++) {
        *table++ = (uint8_t)tw_narrow_one(narrow, i);
    }
}

/* From so many elements on, all cores together, a table of 256 results is filled sooner than each is computed. */
#define TW_TABLE_PAYS 768

#if TW_XPULP
#define TW_LOOP_OPEN ".balign 4\n\t.option push\n\t.option norvc\n\t"
#define TW_LOOP_CLOSE ".option pop\n\t"
#endif

/* y[i] = zero[x[i]], x with or without sign; `zero` is the table's place for 0. y may be x. */
TW_ALWAYS_INLINE void tw_map_bytes(const uint8_t *x, int is_signed, const uint8_t *zero, uint8_t *y, int32_t n)
{
    int32_t i = n & 1;
    if (i != 0) {
        *y++ = is_signed ? zero[tw_signed(tw_extbs(*x))] : zero[*x];
        x++;
    }
#if TW_XPULP
#define TW_MAP(load)                                                                                                  \
    __asm__ volatile(TW_LOOP_OPEN                                                                                     \
                     ".insn i 0x7b, 4, x0, %[n], 12\n\t" /* lp.setup 0 */                                             \
                     ".insn i 0x0b, " load ", %[a], 1(%[x])\n\t" /* p.lb(u) rd, 1(rs1!) */                            \
                     ".insn i 0x0b, " load ", %[b], 1(%[x])\n\t"                                                      \
                     ".insn r 0x03, 7, 0x20, %[a], %[t], %[a]\n\t" /* p.lbu rd, rs2(rs1) */                           \
                     ".insn r 0x03, 7, 0x20, %[b], %[t], %[b]\n\t"                                                    \
                     ".insn s 0x2b, 0, %[a], 1(%[y])\n\t" /* p.sb rs2, 1(rs1!) */                                     \
                     ".insn s 0x2b, 0, %[b], 1(%[y])\n\t"                                                             \
                     TW_LOOP_CLOSE                                                                                    \
                     : [x] "+r"(x), [y] "+r"(y), [a] "=&r"(a), [b] "=&r"(b)                                           \
                     : [t] "r"(zero), [n] "r"(n >> 1)                                                                 \
                     : "memory")
    if (n > 1) {
        uint32_t a, b;
        if (is_signed) {
            TW_MAP("0");
        } else {
            TW_MAP("4");
        }
    }
#undef TW_MAP
#else
    for (; i < n; i++, x++) {
        *y++ = is_signed ? zero[tw_signed(tw_extbs(*x))] : zero[*x];
    }
#endif
}

/* Two bytes as the machine loads them, with or without sign, one step after the other. */
#if TW_XPULP
#define TW_LOAD_S8 "0x00"
#define TW_LOAD_U8 "0x20"
#endif

/* y[i] = zero[a[i * a_step] + b[i * b_step]]; `zero` is the table's place for a sum of 0. y may be an operand. */
TW_ALWAYS_INLINE void tw_map_sums(const uint8_t *a, int a_signed, ptrdiff_t a_step, const uint8_t *b, int b_signed,
                                  ptrdiff_t b_step, const uint8_t *zero, uint8_t *y, int32_t n)
{
    int32_t i = n & 1;
    if (i != 0) {
        *y++ = zero[(a_signed ? tw_signed(tw_extbs(*a)) : *a) + (b_signed ? tw_signed(tw_extbs(*b)) : *b)];
        a += a_step;
        b += b_step;
    }
#if TW_XPULP
#define TW_MAP(load_a, load_b)                                                                                        \
    __asm__ volatile(TW_LOOP_OPEN                                                                                     \
                     ".insn i 0x7b, 4, x0, %[n], 20\n\t" /* lp.setup 0 */                                             \
                     ".insn r 0x0b, 7, " load_a ", %[a0], %[a], %[sa]\n\t" /* p.lb(u) rd, rs2(rs1!) */                \
                     ".insn r 0x0b, 7, " load_b ", %[b0], %[b], %[sb]\n\t"                                            \
                     ".insn r 0x0b, 7, " load_a ", %[a1], %[a], %[sa]\n\t"                                            \
                     ".insn r 0x0b, 7, " load_b ", %[b1], %[b], %[sb]\n\t"                                            \
                     "add %[a0], %[a0], %[b0]\n\t"                                                                    \
                     "add %[a1], %[a1], %[b1]\n\t"                                                                    \
                     ".insn r 0x03, 7, 0x20, %[a0], %[t], %[a0]\n\t" /* p.lbu rd, rs2(rs1) */                         \
                     ".insn r 0x03, 7, 0x20, %[a1], %[t], %[a1]\n\t"                                                  \
                     ".insn s 0x2b, 0, %[a0], 1(%[y])\n\t" /* p.sb rs2, 1(rs1!) */                                    \
                     ".insn s 0x2b, 0, %[a1], 1(%[y])\n\t"                                                            \
                     TW_LOOP_CLOSE                                                                                    \
                     : [a] "+r"(a), [b] "+r"(b), [y] "+r"(y), [a0] "=&r"(a0), [a1] "=&r"(a1), [b0] "=&r"(b0),         \
                       [b1] "=&r"(b1)                                                                                 \
                     : [t] "r"(zero), [sa] "r"(a_step), [sb] "r"(b_step), [n] "r"(n >> 1)                             \
                     : "memory")
    if (n > 1) {
        uint32_t a0, a1, b0, b1;
        if (a_signed && b_signed) {
            TW_MAP(TW_LOAD_S8, TW_LOAD_S8);
        } else if (a_signed) {
            TW_MAP(TW_LOAD_S8, TW_LOAD_U8);
        } else if (b_signed) {
            TW_MAP(TW_LOAD_U8, TW_LOAD_S8);
        } else {
            TW_MAP(TW_LOAD_U8, TW_LOAD_U8);
        }
    }
#undef TW_MAP
#else
    for (; i < n; i++, a += a_step, b += b_step) {
        *y++ = zero[(a_signed ? tw_signed(tw_extbs(*a)) : *a) + (b_signed ? tw_signed(tw_extbs(*b)) : *b)];
    }
#endif
}

/*
 * Requantises n numbers in 32 bits: of `width` 1 or 4 bytes, with or without sign, x_step bytes apart, to bytes y_step apart.
 * y may be x.
 */
TW_ALWAYS_INLINE void tw_narrow_run(const struct tw_narrow *narrow, const void *x_at, int width, int is_signed,
                                    ptrdiff_t x_step, uint8_t *y, ptrdiff_t y_step, int32_t n)
{
#if TW_XPULP
#define TW_RUN(load)                                                                                                  \
    __asm__ volatile(TW_LOOP_OPEN                                                                                     \
                     ".insn i 0x7b, 4, x0, %[n], 16\n\t" /* lp.setup 0 */                                             \
                     ".insn r 0x0b, 7, " load ", %[v], %[x], %[sx]\n\t" /* p.l rd, rs2(rs1!) */                       \
                     "mv %[s], %[add]\n\t"                                                                           \
                     ".insn r 0x33, 5, 0x0A, %[v], %[v], %[limit]\n\t" /* p.clipr */                                 \
                     ".insn r 0x33, 0, 0x21, %[s], %[v], %[mul]\n\t" /* p.mac */                                     \
                     "sra %[s], %[s], %[shift]\n\t"                                                                  \
                     ".insn r 0x33, 6, 0x02, %[s], %[s], %[lo]\n\t" /* p.max */                                      \
                     ".insn r 0x33, 4, 0x02, %[s], %[s], %[hi]\n\t" /* p.min */                                      \
                     ".insn r 0x2b, 4, 0, %[sy], %[y], %[s]\n\t" /* p.sb rs2, r3(rs1!) */                            \
                     TW_LOOP_CLOSE                                                                                    \
                     : [x] "+r"(x), [y] "+r"(y), [v] "=&r"(v), [s] "=&r"(s)                                           \
                     : [sx] "r"(x_step), [sy] "r"(y_step), [limit] "r"(narrow->limit), [mul] "r"(narrow->mul),        \
                       [add] "r"(narrow->add), [shift] "r"(narrow->shift), [lo] "r"(narrow->lo),                      \
                       [hi] "r"(narrow->hi), [n] "r"(n)                                                               \
                     : "memory")
    const uint8_t *x = (const uint8_t *)x_at;
    if (n > 0) {
        uint32_t v, s;
        if (width == 4) {
            TW_RUN("0x10");
        } else if (is_signed) {
            TW_RUN(TW_LOAD_S8);
        } else {
            TW_RUN(TW_LOAD_U8);
        }
    }
#undef TW_RUN
#else
    const uint8_t *x = (const uint8_t *)x_at;
    for (; n > 0; n--, x += x_step, y += y_step) {
        *y = (uint8_t)tw_narrow_one(narrow, width == 4 ? tw_signed(tw_load_word(x)) : is_signed ? tw_signed(tw_extbs(*x)) : *x);
    }
#endif
}

#endif
