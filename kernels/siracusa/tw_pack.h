/*
 * Four rows of bytes as tiles want them: words of four taps, row beside row (word i of row r at 4 * i + r). The same
 * layout serves the weights of four channels and, where rows of taps are not made of whole words, four pixels.
 */
#ifndef TW_PACK_H
#define TW_PACK_H

#include <stddef.h>
#include <stdint.h>

#include "tw_xpulp.h"

/* Words of `words` times four taps of four rows. */
TW_ALWAYS_INLINE void tw_pack_words(uint32_t *to, const uint8_t *const rows[4], int32_t words)
{
#if TW_XPULP
    const uint8_t *r0 = rows[0], *r1 = rows[1], *r2 = rows[2], *r3 = rows[3];
    uint32_t a, b, c, d;
    if (words > 0) {
        __asm__ volatile(".balign 4\n\t.option push\n\t.option norvc\n\t"
                         ".insn i 0x7b, 4, x0, %[n], 16\n\t" /* lp.setup 0 */
                         ".insn i 0x0b, 2, %[a], 4(%[r0])\n\t" /* p.lw rd, 4(rs1!) */
                         ".insn i 0x0b, 2, %[b], 4(%[r1])\n\t"
                         ".insn i 0x0b, 2, %[c], 4(%[r2])\n\t"
                         ".insn i 0x0b, 2, %[d], 4(%[r3])\n\t"
                         ".insn s 0x2b, 2, %[a], 4(%[to])\n\t" /* p.sw rs2, 4(rs1!) */
                         ".insn s 0x2b, 2, %[b], 4(%[to])\n\t"
                         ".insn s 0x2b, 2, %[c], 4(%[to])\n\t"
                         ".insn s 0x2b, 2, %[d], 4(%[to])\n\t"
                         ".option pop\n\t"
                         : [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c), [d] "=&r"(d), [r0] "+r"(r0), [r1] "+r"(r1),
                           [r2] "+r"(r2), [r3] "+r"(r3), [to] "+r"(to)
                         : [n] "r"(words)
                         : "memory");
    }
#else
    for (int32_t i = 0; i < words; i++) {
        for (int r = 0; r < 4; r++) {
            to[4 * i + r] = tw_load_word(rows[r] + 4 * i);
        }
    }
#endif
}

/* The same where the rows' bytes lie side by side and taps are tap_step bytes apart. */
static inline void tw_turn_words(uint32_t *to, const uint8_t *from, int32_t words, ptrdiff_t tap_step)
{
#if TW_XPULP
    uint32_t a, b, c, d, e, f;
    if (words > 0) {
        __asm__ volatile(".balign 4\n\t.option push\n\t.option norvc\n\t"
                         ".insn i 0x7b, 4, x0, %[n], 36\n\t" /* lp.setup 0: 18 instructions */
                         ".insn r 0x0b, 7, 0x10, %[a], %[from], %[step]\n\t" /* p.lw rd, rs2(rs1!) */
                         ".insn r 0x0b, 7, 0x10, %[b], %[from], %[step]\n\t"
                         ".insn r 0x0b, 7, 0x10, %[c], %[from], %[step]\n\t"
                         ".insn r 0x0b, 7, 0x10, %[d], %[from], %[step]\n\t"
                         "mv %[e], %[a]\n\t"
                         "mv %[f], %[c]\n\t"
                         ".insn r 0x57, 1, 0x64, %[e], %[b], %[even]\n\t" /* pv.shuffle2.b */
                         ".insn r 0x57, 1, 0x64, %[a], %[b], %[odd]\n\t"
                         ".insn r 0x57, 1, 0x64, %[f], %[d], %[even]\n\t"
                         ".insn r 0x57, 1, 0x64, %[c], %[d], %[odd]\n\t"
                         ".insn r 0x57, 0, 0x68, %[b], %[f], %[e]\n\t" /* pv.pack.h */
                         ".insn r 0x57, 0, 0x68, %[d], %[c], %[a]\n\t"
                         ".insn r 0x57, 0, 0x64, %[e], %[f], %[high]\n\t" /* pv.shuffle2.h */
                         ".insn r 0x57, 0, 0x64, %[a], %[c], %[high]\n\t"
                         ".insn s 0x2b, 2, %[b], 4(%[to])\n\t" /* p.sw rs2, 4(rs1!) */
                         ".insn s 0x2b, 2, %[d], 4(%[to])\n\t"
                         ".insn s 0x2b, 2, %[e], 4(%[to])\n\t"
                         ".insn s 0x2b, 2, %[a], 4(%[to])\n\t"
                         ".option pop\n\t"
                         : [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c), [d] "=&r"(d), [e] "=&r"(e), [f] "=&r"(f),
                           [from] "+r"(from), [to] "+r"(to)
                         : [n] "r"(words), [step] "r"(tap_step), [even] "r"(0x06020400u), [odd] "r"(0x07030501u),
                           [high] "r"(0x00030001u)
                         : "memory");
    }
#else
    for (int32_t i = 0; i < words; i++, from += 4 * tap_step) {
        uint32_t m[4] = {tw_load_word(from), tw_load_word(from + tap_step), tw_load_word(from + 2 * tap_step),
                         tw_load_word(from + 3 * tap_step)};
        tw_transpose_b(m);
        for (int q = 0; q < 4; q++) {
            to[4 * i + q] = m[q];
        }
    }
#endif
}

/* Copies n bytes, words first, at any alignment; gives the end of the copy. */
static inline uint8_t *tw_copy(uint8_t *to, const uint8_t *from, int32_t n)
{
#if TW_XPULP
    int32_t words = n >> 2, bytes = n & 3;
    uint32_t d;
    /* A no-op instead of a stall: hardware loops have at least three instructions. */
    if (words > 0) {
        __asm__ volatile(".balign 4\n\t.option push\n\t.option norvc\n\t"
                         ".insn i 0x7b, 4, x0, %[n], 6\n\t" /* lp.setup 0 */
                         ".insn i 0x0b, 2, %[d], 4(%[from])\n\t" /* p.lw rd, 4(rs1!) */
                         "nop\n\t"
                         ".insn s 0x2b, 2, %[d], 4(%[to])\n\t" /* p.sw rs2, 4(rs1!) */
                         ".option pop\n\t"
                         : [d] "=&r"(d), [from] "+r"(from), [to] "+r"(to)
                         : [n] "r"(words)
                         : "memory");
    }
    if (bytes > 0) {
        __asm__ volatile(".balign 4\n\t.option push\n\t.option norvc\n\t"
                         ".insn i 0x7b, 4, x0, %[n], 6\n\t"
                         ".insn i 0x0b, 4, %[d], 1(%[from])\n\t" /* p.lbu rd, 1(rs1!) */
                         "nop\n\t"
                         ".insn s 0x2b, 0, %[d], 1(%[to])\n\t" /* p.sb rs2, 1(rs1!) */
                         ".option pop\n\t"
                         : [d] "=&r"(d), [from] "+r"(from), [to] "+r"(to)
                         : [n] "r"(bytes)
                         : "memory");
    }
    return to;
#else
    for (int32_t i = 0; i < n; i++) {
        to[i] = from[i];
    }
    return to + n;
#endif
}

static inline uint8_t *tw_zero(uint8_t *to, int32_t n)
{
    for (; n > 0; n--) {
        *to++ = 0;
    }
    return to;
}

/*
 * Packs `count` (1 to 4) rows of k taps; rows are row_step bytes apart, taps tap_step. Rows that do not exist repeat the
 * first one: their results are never stored. Taps behind k are zero. `to` has room for 4 * (k + 3) / 4 words.
 */
TW_NEVER_INLINE void tw_pack4(uint32_t *to, const uint8_t *from, int32_t k, ptrdiff_t row_step, ptrdiff_t tap_step,
                     int32_t count)
{
    const int32_t words = k / 4;
    int32_t done = 0;
    if (tap_step == 1) {
        const uint8_t *rows[4];
        for (int32_t r = 0; r < 4; r++) {
            rows[r] = from + (r < count ? r * row_step : 0);
        }
        tw_pack_words(to, rows, words);
        done = 4 * words;
    } else if (row_step == 1 && count == 4) {
        tw_turn_words(to, from, words, tap_step);
        done = 4 * words;
    }
    for (int32_t i = done; i < k; i += 4) {
        const int32_t taps = k - i < 4 ? k - i : 4;
        for (int32_t r = 0; r < 4; r++) {
            const uint8_t *at = from + (r < count ? r * row_step : 0) + i * tap_step;
            uint32_t word = 0;
            for (int32_t q = 0; q < taps; q++) {
                word |= (uint32_t)at[q * tap_step] << (8 * q);
            }
            to[i + r] = word;
        }
    }
}

#endif
