/*
 * Loops over bytes: functions of one byte or of a sum of two as tables, and requantisation without one. Each loop is
 * one hardware loop of few instructions, none of which waits for the load before it.
 */
#ifndef TW_BYTES_H
#define TW_BYTES_H

#include <stddef.h>
#include <stdint.h>

#include "tw_cluster.h"
#include "tw_pack.h"
#include "tw_requant_xp.h"
#include "tw_xpulp.h"

/* Results of `count` numbers from `first` on, one behind the other. */
static inline void tw_requant_table(uint8_t *table, int32_t first, int32_t count, const struct tw_narrow *narrow)
{
    for (int32_t i = first; i < first + count; i++) {
        *table++ = (uint8_t)tw_narrow_one(narrow, i);
    }
}

/*
 * A core's own copy of a table of `bytes` (a multiple of 4) in the scratch memory behind it: where all look up the same few
 * values, they would wait for each other at the banks. The copies are two banks apart: 8 * (bytes + 8) bytes in all.
 */
static inline const uint8_t *tw_own_table(uint8_t *table, int32_t bytes)
{
    uint8_t *const own = table + bytes + tw_core_id() * (bytes + 8);
    (void)tw_copy(own, table, bytes);
    return own;
}

/* From so many elements on, all cores together, a table of 256 results is filled sooner than each is computed. */
#define TW_TABLE_PAYS 768

#if TW_XPULP
#define TW_LOOP_OPEN ".balign 4\n\t.option push\n\t.option norvc\n\t"
#define TW_LOOP_CLOSE ".option pop\n\t"
#endif

/*
 * y[i] = table[x[i]], the bytes as indices; y may be x. Words are taken apart: eight cores that load byte after byte would
 * wait for each other at the banks.
 */
TW_ALWAYS_INLINE void tw_map_bytes(const uint8_t *x, const uint8_t *table, uint8_t *y, int32_t n)
{
#if TW_XPULP
    if (n >= 4) {
        uint32_t v, a, b, c, d, r;
        __asm__ volatile(TW_LOOP_OPEN
                         ".insn i 0x7b, 4, x0, %[n], 24\n\t" /* lp.setup 0 */
                         ".insn i 0x0b, 2, %[v], 4(%[x])\n\t" /* p.lw rd, 4(rs1!) */
                         "andi %[a], %[v], 255\n\t"
                         ".insn r 0x33, 1, 0x67, %[b], %[v], x8\n\t" /* p.extractu 8, 8 */
                         ".insn r 0x03, 7, 0x20, %[a], %[t], %[a]\n\t" /* p.lbu rd, rs2(rs1) */
                         ".insn r 0x03, 7, 0x20, %[b], %[t], %[b]\n\t"
                         ".insn r 0x33, 1, 0x67, %[c], %[v], x16\n\t"
                         "srli %[d], %[v], 24\n\t"
                         ".insn r 0x03, 7, 0x20, %[c], %[t], %[c]\n\t"
                         ".insn r 0x03, 7, 0x20, %[d], %[t], %[d]\n\t"
                         ".insn r 0x57, 1, 0x70, %[r], %[b], %[a]\n\t" /* pv.packlo.b */
                         ".insn r 0x57, 1, 0x6C, %[r], %[d], %[c]\n\t" /* pv.packhi.b */
                         ".insn s 0x2b, 2, %[r], 4(%[y])\n\t" /* p.sw rs2, 4(rs1!) */
                         TW_LOOP_CLOSE
                         : [x] "+r"(x), [y] "+r"(y), [v] "=&r"(v), [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c), [d] "=&r"(d),
                           [r] "=&r"(r)
                         : [t] "r"(table), [n] "r"(n >> 2)
                         : "memory");
        n &= 3;
    }
#endif
    for (; n > 0; n--) {
        *y++ = table[*x++];
    }
}

/* How bytes are loaded and taken from words, with or without sign. */
#if TW_XPULP
#define TW_LOAD_S8 "0x00"
#define TW_LOAD_U8 "0x20"
#define TW_TAKE_S8 "0"
#define TW_TAKE_U8 "1"
#endif

/* y[i] = zero[a[i * a_step] + b[i * b_step]]; `zero` is the table's place for a sum of 0. y may be an operand. */
TW_ALWAYS_INLINE void tw_map_sums(const uint8_t *a, int a_signed, ptrdiff_t a_step, const uint8_t *b, int b_signed,
                                  ptrdiff_t b_step, const uint8_t *zero, uint8_t *y, int32_t n)
{
#if TW_XPULP
#define TW_SUM_AT(take_a, take_b, register)                                                                           \
    ".insn r 0x33, " take_a ", 0x67, %[s], %[v], " register "\n\t" /* p.extract(u) 8, .. */                           \
    ".insn r 0x33, " take_b ", 0x67, %[t], %[w], " register "\n\t"                                                    \
    "add %[s], %[s], %[t]\n\t"
#define TW_MAP(take_a, take_b)                                                                                        \
    __asm__ volatile(TW_LOOP_OPEN                                                                                     \
                     ".insn i 0x7b, 4, x0, %[n], 42\n\t" /* lp.setup 0: 21 instructions */                            \
                     ".insn i 0x0b, 2, %[v], 4(%[a])\n\t" /* p.lw rd, 4(rs1!) */                                      \
                     ".insn i 0x0b, 2, %[w], 4(%[b])\n\t"                                                             \
                     TW_SUM_AT(take_a, take_b, "x0")                                                                  \
                     ".insn r 0x03, 7, 0x20, %[c], %[zero], %[s]\n\t" /* p.lbu rd, rs2(rs1) */                        \
                     TW_SUM_AT(take_a, take_b, "x8")                                                                  \
                     ".insn r 0x03, 7, 0x20, %[d], %[zero], %[s]\n\t"                                                 \
                     TW_SUM_AT(take_a, take_b, "x16")                                                                 \
                     ".insn r 0x03, 7, 0x20, %[e], %[zero], %[s]\n\t"                                                 \
                     TW_SUM_AT(take_a, take_b, "x24")                                                                 \
                     ".insn r 0x03, 7, 0x20, %[s], %[zero], %[s]\n\t"                                                 \
                     ".insn r 0x57, 1, 0x70, %[v], %[d], %[c]\n\t" /* pv.packlo.b */                                  \
                     ".insn r 0x57, 1, 0x6C, %[v], %[s], %[e]\n\t" /* pv.packhi.b */                                  \
                     ".insn s 0x2b, 2, %[v], 4(%[y])\n\t" /* p.sw rs2, 4(rs1!) */                                     \
                     TW_LOOP_CLOSE                                                                                    \
                     : [a] "+r"(a), [b] "+r"(b), [y] "+r"(y), [v] "=&r"(v), [w] "=&r"(w), [s] "=&r"(s), [t] "=&r"(t), \
                       [c] "=&r"(c), [d] "=&r"(d), [e] "=&r"(e)                                                       \
                     : [zero] "r"(zero), [n] "r"(n >> 2)                                                              \
                     : "memory")
    if (a_step == 1 && b_step == 1 && n >= 4) {
        uint32_t v, w, s, t, c, d, e;
        if (a_signed && b_signed) {
            TW_MAP(TW_TAKE_S8, TW_TAKE_S8);
        } else if (a_signed) {
            TW_MAP(TW_TAKE_S8, TW_TAKE_U8);
        } else if (b_signed) {
            TW_MAP(TW_TAKE_U8, TW_TAKE_S8);
        } else {
            TW_MAP(TW_TAKE_U8, TW_TAKE_U8);
        }
        n &= 3;
    }
#undef TW_MAP
#undef TW_SUM_AT
#endif
    for (; n > 0; n--, a += a_step, b += b_step) {
        *y++ = zero[(a_signed ? tw_signed(tw_extbs(*a)) : *a) + (b_signed ? tw_signed(tw_extbs(*b)) : *b)];
    }
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
