/*
 * Four dot products of bytes at a time, for products too small to pay for tiles: the operands are read once, from where
 * they are. Short code: such calls spend most of their time on fetching instructions. The header's user says by
 * TW_X_SIGNED and TW_W_SIGNED (0 or 1) which bytes have signs.
 */
#ifndef TW_DOTS_H
#define TW_DOTS_H

#include <stddef.h>
#include <stdint.h>

#include "tw_bytes.h"
#include "tw_requant_xp.h"
#include "tw_xpulp.h"

#if TW_XPULP
#if TW_X_SIGNED && TW_W_SIGNED
#define TW_DOT(d, x, w) ".insn r 0x57, 1, 0x5C, " d ", " x ", " w "\n\t" /* pv.sdotsp.b */
#elif TW_W_SIGNED
#define TW_DOT(d, x, w) ".insn r 0x57, 1, 0x54, " d ", " x ", " w "\n\t" /* pv.sdotusp.b */
#elif TW_X_SIGNED
#define TW_DOT(d, x, w) ".insn r 0x57, 1, 0x54, " d ", " w ", " x "\n\t" /* pv.sdotusp.b */
#else
#define TW_DOT(d, x, w) ".insn r 0x57, 1, 0x50, " d ", " x ", " w "\n\t" /* pv.sdotup.b */
#endif
#elif TW_X_SIGNED && TW_W_SIGNED
#define TW_DOT(d, x, w) tw_sdotsp_b(d, x, w)
#elif TW_W_SIGNED
#define TW_DOT(d, x, w) tw_sdotusp_b(d, x, w)
#elif TW_X_SIGNED
#define TW_DOT(d, x, w) tw_sdotusp_b(d, w, x)
#else
#define TW_DOT(d, x, w) tw_sdotup_b(d, x, w)
#endif

/* acc[j] = `words` words of x times those of four rows, packed as rows4. */
TW_ALWAYS_INLINE void tw_dots_packed(uint32_t acc[4], const void *x_at, const void *w_at, int32_t words)
{
#if TW_XPULP
    uint32_t a0 = 0, a1 = 0, a2 = 0, a3 = 0, v, w0, w1, w2, w3;
    __asm__ volatile(TW_LOOP_OPEN
                     ".insn i 0x7b, 4, x0, %[n], 18\n\t" /* lp.setup 0 */
                     ".insn i 0x0b, 2, %[v], 4(%[x])\n\t" /* p.lw rd, 4(rs1!) */
                     ".insn i 0x0b, 2, %[w0], 4(%[w])\n\t"
                     ".insn i 0x0b, 2, %[w1], 4(%[w])\n\t"
                     ".insn i 0x0b, 2, %[w2], 4(%[w])\n\t"
                     ".insn i 0x0b, 2, %[w3], 4(%[w])\n\t"
                     TW_DOT("%[a0]", "%[v]", "%[w0]")
                     TW_DOT("%[a1]", "%[v]", "%[w1]")
                     TW_DOT("%[a2]", "%[v]", "%[w2]")
                     TW_DOT("%[a3]", "%[v]", "%[w3]")
                     TW_LOOP_CLOSE
                     : [x] "+r"(x_at), [w] "+r"(w_at), [v] "=&r"(v), [w0] "=&r"(w0), [w1] "=&r"(w1), [w2] "=&r"(w2),
                       [w3] "=&r"(w3), [a0] "+r"(a0), [a1] "+r"(a1), [a2] "+r"(a2), [a3] "+r"(a3)
                     : [n] "r"(words)
                     : "memory");
    acc[0] = a0;
    acc[1] = a1;
    acc[2] = a2;
    acc[3] = a3;
#else
    const uint8_t *x = (const uint8_t *)x_at, *w = (const uint8_t *)w_at;
    acc[0] = acc[1] = acc[2] = acc[3] = 0;
    for (; words > 0; words--, x += 4, w += 16) {
        for (int j = 0; j < 4; j++) {
            acc[j] = TW_DOT(acc[j], tw_load_word(x), tw_load_word(w + 4 * j));
        }
    }
#endif
}

/* The same of two such blocks behind each other, which share the loads of x: acc has eight sums. */
TW_ALWAYS_INLINE void tw_dots_two(uint32_t acc[8], const void *x_at, const void *w_at, int32_t words)
{
#if TW_XPULP
    const uint8_t *u_at = (const uint8_t *)w_at + 16 * words;
    uint32_t a0 = 0, a1 = 0, a2 = 0, a3 = 0, v, w0, w1, w2, w3;
    uint32_t a4 = 0, a5 = 0, a6 = 0, a7 = 0;
    __asm__ volatile(TW_LOOP_OPEN
                     ".insn i 0x7b, 4, x0, %[n], 34\n\t" /* lp.setup 0: 17 instructions */
                     ".insn i 0x0b, 2, %[v], 4(%[x])\n\t" /* p.lw rd, 4(rs1!) */
                     ".insn i 0x0b, 2, %[w0], 4(%[w])\n\t"
                     ".insn i 0x0b, 2, %[w1], 4(%[w])\n\t"
                     ".insn i 0x0b, 2, %[w2], 4(%[w])\n\t"
                     ".insn i 0x0b, 2, %[w3], 4(%[w])\n\t"
                     TW_DOT("%[a0]", "%[v]", "%[w0]")
                     TW_DOT("%[a1]", "%[v]", "%[w1]")
                     TW_DOT("%[a2]", "%[v]", "%[w2]")
                     TW_DOT("%[a3]", "%[v]", "%[w3]")
                     ".insn i 0x0b, 2, %[w0], 4(%[u])\n\t"
                     ".insn i 0x0b, 2, %[w1], 4(%[u])\n\t"
                     ".insn i 0x0b, 2, %[w2], 4(%[u])\n\t"
                     ".insn i 0x0b, 2, %[w3], 4(%[u])\n\t"
                     TW_DOT("%[a4]", "%[v]", "%[w0]")
                     TW_DOT("%[a5]", "%[v]", "%[w1]")
                     TW_DOT("%[a6]", "%[v]", "%[w2]")
                     TW_DOT("%[a7]", "%[v]", "%[w3]")
                     TW_LOOP_CLOSE
                     : [x] "+r"(x_at), [w] "+r"(w_at), [u] "+r"(u_at), [v] "=&r"(v), [w0] "=&r"(w0), [w1] "=&r"(w1),
                       [w2] "=&r"(w2), [w3] "=&r"(w3), [a0] "+r"(a0), [a1] "+r"(a1), [a2] "+r"(a2), [a3] "+r"(a3),
                       [a4] "+r"(a4), [a5] "+r"(a5), [a6] "+r"(a6), [a7] "+r"(a7)
                     : [n] "r"(words)
                     : "memory");
    acc[0] = a0;
    acc[1] = a1;
    acc[2] = a2;
    acc[3] = a3;
    acc[4] = a4;
    acc[5] = a5;
    acc[6] = a6;
    acc[7] = a7;
#else
    tw_dots_packed(acc, x_at, w_at, words);
    tw_dots_packed(acc + 4, x_at, (const uint8_t *)w_at + 16 * words, words);
#endif
}

/* The same of four rows w_row bytes apart. */
TW_ALWAYS_INLINE void tw_dots_rows(uint32_t acc[4], const void *x_at, const void *w_at, ptrdiff_t w_row, int32_t words)
{
    const uint8_t *x = (const uint8_t *)x_at, *p = (const uint8_t *)w_at;
    const uint8_t *q = p + w_row, *r = q + w_row, *s = r + w_row;
#if TW_XPULP
    uint32_t a0 = acc[0], a1 = acc[1], a2 = acc[2], a3 = acc[3], v, w0, w1, w2, w3;
    if (words > 0) {
        __asm__ volatile(TW_LOOP_OPEN
                         ".insn i 0x7b, 4, x0, %[n], 18\n\t" /* lp.setup 0 */
                         ".insn i 0x0b, 2, %[v], 4(%[x])\n\t" /* p.lw rd, 4(rs1!) */
                         ".insn i 0x0b, 2, %[w0], 4(%[p])\n\t"
                         ".insn i 0x0b, 2, %[w1], 4(%[q])\n\t"
                         ".insn i 0x0b, 2, %[w2], 4(%[r])\n\t"
                         ".insn i 0x0b, 2, %[w3], 4(%[s])\n\t"
                         TW_DOT("%[a0]", "%[v]", "%[w0]")
                         TW_DOT("%[a1]", "%[v]", "%[w1]")
                         TW_DOT("%[a2]", "%[v]", "%[w2]")
                         TW_DOT("%[a3]", "%[v]", "%[w3]")
                         TW_LOOP_CLOSE
                         : [x] "+r"(x), [p] "+r"(p), [q] "+r"(q), [r] "+r"(r), [s] "+r"(s), [v] "=&r"(v), [w0] "=&r"(w0),
                           [w1] "=&r"(w1), [w2] "=&r"(w2), [w3] "=&r"(w3), [a0] "+r"(a0), [a1] "+r"(a1), [a2] "+r"(a2),
                           [a3] "+r"(a3)
                         : [n] "r"(words)
                         : "memory");
    }
    acc[0] = a0;
    acc[1] = a1;
    acc[2] = a2;
    acc[3] = a3;
#else
    for (; words > 0; words--, x += 4, p += 4, q += 4, r += 4, s += 4) {
        acc[0] = TW_DOT(acc[0], tw_load_word(x), tw_load_word(p));
        acc[1] = TW_DOT(acc[1], tw_load_word(x), tw_load_word(q));
        acc[2] = TW_DOT(acc[2], tw_load_word(x), tw_load_word(r));
        acc[3] = TW_DOT(acc[3], tw_load_word(x), tw_load_word(s));
    }
#endif
}

/* The same of four columns beside each other, whose elements are w_tap bytes apart. */
TW_ALWAYS_INLINE void tw_dots_columns(uint32_t acc[4], const void *x_at, const void *w_at, ptrdiff_t w_tap,
                                      int32_t words)
{
    const uint8_t *x = (const uint8_t *)x_at, *w = (const uint8_t *)w_at;
#if TW_XPULP
    uint32_t a0 = acc[0], a1 = acc[1], a2 = acc[2], a3 = acc[3], v, a, b, c, d, e, f;
    if (words > 0) {
        __asm__ volatile(TW_LOOP_OPEN
                         ".insn i 0x7b, 4, x0, %[n], 38\n\t" /* lp.setup 0: 19 instructions */
                         ".insn r 0x0b, 7, 0x10, %[a], %[w], %[tap]\n\t" /* p.lw rd, rs2(rs1!) */
                         ".insn r 0x0b, 7, 0x10, %[b], %[w], %[tap]\n\t"
                         ".insn r 0x0b, 7, 0x10, %[c], %[w], %[tap]\n\t"
                         ".insn r 0x0b, 7, 0x10, %[d], %[w], %[tap]\n\t"
                         "mv %[e], %[a]\n\t"
                         "mv %[f], %[c]\n\t"
                         ".insn r 0x57, 1, 0x64, %[e], %[b], %[even]\n\t" /* pv.shuffle2.b */
                         ".insn r 0x57, 1, 0x64, %[a], %[b], %[odd]\n\t"
                         ".insn r 0x57, 1, 0x64, %[f], %[d], %[even]\n\t"
                         ".insn r 0x57, 1, 0x64, %[c], %[d], %[odd]\n\t"
                         ".insn i 0x0b, 2, %[v], 4(%[x])\n\t" /* p.lw rd, 4(rs1!) */
                         ".insn r 0x57, 0, 0x68, %[b], %[f], %[e]\n\t" /* pv.pack.h */
                         ".insn r 0x57, 0, 0x68, %[d], %[c], %[a]\n\t"
                         ".insn r 0x57, 0, 0x64, %[e], %[f], %[high]\n\t" /* pv.shuffle2.h */
                         ".insn r 0x57, 0, 0x64, %[a], %[c], %[high]\n\t"
                         TW_DOT("%[a0]", "%[v]", "%[b]")
                         TW_DOT("%[a1]", "%[v]", "%[d]")
                         TW_DOT("%[a2]", "%[v]", "%[e]")
                         TW_DOT("%[a3]", "%[v]", "%[a]")
                         TW_LOOP_CLOSE
                         : [x] "+r"(x), [w] "+r"(w), [v] "=&r"(v), [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c), [d] "=&r"(d),
                           [e] "=&r"(e), [f] "=&r"(f), [a0] "+r"(a0), [a1] "+r"(a1), [a2] "+r"(a2), [a3] "+r"(a3)
                         : [n] "r"(words), [tap] "r"(w_tap), [even] "r"(0x06020400u), [odd] "r"(0x07030501u),
                           [high] "r"(0x00030001u)
                         : "memory");
    }
    acc[0] = a0;
    acc[1] = a1;
    acc[2] = a2;
    acc[3] = a3;
#else
    for (; words > 0; words--, x += 4, w += 4 * w_tap) {
        uint32_t m[4] = {tw_load_word(w), tw_load_word(w + w_tap), tw_load_word(w + 2 * w_tap), tw_load_word(w + 3 * w_tap)};
        tw_transpose_b(m);
        for (int j = 0; j < 4; j++) {
            acc[j] = TW_DOT(acc[j], tw_load_word(x), m[j]);
        }
    }
#endif
}

/* How accumulators become bytes: in 32 bits where all of it fits, or one multiplier and addend allow it, else in 64. */
struct tw_scaling {
    const int32_t *mul;
    const int32_t *add;
    int32_t mul_step;
    int32_t add_step;
    int is_narrow;
    int fits;
    struct tw_narrow narrow;
    uint32_t half;
};

/* 8 <= shift < 32; `fits` says that no sum, product or rounded sum leaves 32 bits. */
static inline void tw_scaling(struct tw_scaling *s, const int32_t *mul, const int32_t *add, int32_t mul_step,
                              int32_t add_step, int shift, int32_t lo, int32_t hi, int fits)
{
    s->mul = mul;
    s->add = add;
    s->mul_step = mul_step;
    s->add_step = add_step;
    tw_narrow_fits(&s->narrow, *mul, *add, shift, lo, hi);
    s->fits = fits;
    s->is_narrow = mul_step + add_step == 0 && (fits || tw_narrow(&s->narrow, *mul, *add, shift, lo, hi));
    s->half = UINT32_C(1) << (shift - 1);
}

/* The same in 64 bits, one by one. */
TW_NEVER_INLINE void tw_scale_wide(const struct tw_scaling *s, const uint32_t *acc, int32_t o, int32_t count,
                                   uint8_t *y)
{
    const int32_t *mul = s->mul + (ptrdiff_t)o * s->mul_step, *add = s->add + (ptrdiff_t)o * s->add_step;
    const int shift = s->narrow.shift;
    for (const uint32_t *end = acc + count; acc < end; acc++, mul += s->mul_step, add += s->add_step) {
        const int64_t sum = (int64_t)tw_signed(*acc) * *mul + ((int64_t)*add + s->half);
        /* Clipped to what the shift makes a number of 32 bits, at least 2^31 - 2^24 if it was larger. */
        const uint32_t high = tw_clipr((uint32_t)((uint64_t)sum >> 32), (UINT32_C(1) << (shift - 1)) - 1);
        const uint32_t scaled = (uint32_t)(uint64_t)sum >> shift | high << (32 - shift);
        *y++ = (uint8_t)tw_min(tw_max(scaled, (uint32_t)s->narrow.lo), (uint32_t)s->narrow.hi);
    }
}

/* The same where all of it fits 32 bits. */
TW_ALWAYS_INLINE void tw_scale_fits(const struct tw_scaling *scaling, const uint32_t *acc, int32_t o, int32_t count,
                                    uint8_t *y)
{
    const int32_t *mul = scaling->mul + (ptrdiff_t)o * scaling->mul_step;
    const int32_t *add = scaling->add + (ptrdiff_t)o * scaling->add_step;
#if TW_XPULP
    uint32_t v, m, s;
    __asm__ volatile(TW_LOOP_OPEN
                     ".insn i 0x7b, 4, x0, %[n], 18\n\t" /* lp.setup 0 */
                     ".insn r 0x0b, 7, 0x10, %[s], %[add], %[sa]\n\t" /* p.lw rd, rs2(rs1!) */
                     ".insn i 0x0b, 2, %[v], 4(%[acc])\n\t" /* p.lw rd, 4(rs1!) */
                     ".insn r 0x0b, 7, 0x10, %[m], %[mul], %[sm]\n\t"
                     "add %[s], %[s], %[half]\n\t"
                     ".insn r 0x33, 0, 0x21, %[s], %[v], %[m]\n\t" /* p.mac */
                     "sra %[s], %[s], %[shift]\n\t"
                     ".insn r 0x33, 6, 0x02, %[s], %[s], %[lo]\n\t" /* p.max */
                     ".insn r 0x33, 4, 0x02, %[s], %[s], %[hi]\n\t" /* p.min */
                     ".insn s 0x2b, 0, %[s], 1(%[y])\n\t" /* p.sb rs2, 1(rs1!) */
                     TW_LOOP_CLOSE
                     : [acc] "+r"(acc), [mul] "+r"(mul), [add] "+r"(add), [y] "+r"(y), [v] "=&r"(v), [m] "=&r"(m),
                       [s] "=&r"(s)
                     : [sm] "r"(4 * scaling->mul_step), [sa] "r"(4 * scaling->add_step), [half] "r"(scaling->half),
                       [shift] "r"(scaling->narrow.shift), [lo] "r"(scaling->narrow.lo), [hi] "r"(scaling->narrow.hi),
                       [n] "r"(count)
                     : "memory");
#else
    for (const uint32_t *end = acc + count; acc < end; acc++, mul += scaling->mul_step, add += scaling->add_step) {
        const uint32_t sum = tw_mac((uint32_t)*add + scaling->half, *acc, (uint32_t)*mul);
        const uint32_t scaled = (uint32_t)(tw_signed(sum) >> scaling->narrow.shift);
        *y++ = (uint8_t)tw_min(tw_max(scaled, (uint32_t)scaling->narrow.lo), (uint32_t)scaling->narrow.hi);
    }
#endif
}

/* `count` products of one word x with words w_step bytes apart, in 32 bits. */
TW_ALWAYS_INLINE void tw_words_run(const struct tw_narrow *narrow, uint32_t x, const void *w_at, ptrdiff_t w_step,
                                   uint8_t *y, int32_t count)
{
    const uint8_t *w = (const uint8_t *)w_at;
#if TW_XPULP
    uint32_t v, s;
    if (count > 0) {
        __asm__ volatile(TW_LOOP_OPEN
                         ".insn i 0x7b, 4, x0, %[n], 20\n\t" /* lp.setup 0 */
                         ".insn r 0x0b, 7, 0x10, %[s], %[w], %[step]\n\t" /* p.lw rd, rs2(rs1!) */
                         "mv %[v], zero\n\t"
                         TW_DOT("%[v]", "%[x]", "%[s]")
                         "mv %[s], %[add]\n\t"
                         ".insn r 0x33, 5, 0x0A, %[v], %[v], %[limit]\n\t" /* p.clipr */
                         ".insn r 0x33, 0, 0x21, %[s], %[v], %[mul]\n\t" /* p.mac */
                         "sra %[s], %[s], %[shift]\n\t"
                         ".insn r 0x33, 6, 0x02, %[s], %[s], %[lo]\n\t" /* p.max */
                         ".insn r 0x33, 4, 0x02, %[s], %[s], %[hi]\n\t" /* p.min */
                         ".insn s 0x2b, 0, %[s], 1(%[y])\n\t" /* p.sb rs2, 1(rs1!) */
                         TW_LOOP_CLOSE
                         : [w] "+r"(w), [y] "+r"(y), [v] "=&r"(v), [s] "=&r"(s)
                         : [x] "r"(x), [step] "r"(w_step), [limit] "r"(narrow->limit), [mul] "r"(narrow->mul),
                           [add] "r"(narrow->add), [shift] "r"(narrow->shift), [lo] "r"(narrow->lo), [hi] "r"(narrow->hi),
                           [n] "r"(count)
                         : "memory");
    }
#else
    for (; count > 0; count--, w += w_step) {
        *y++ = (uint8_t)tw_narrow_one(narrow, tw_signed(TW_DOT(0, x, tw_load_word(w))));
    }
#endif
}

/* The results of columns o .. o + count - 1. */
TW_ALWAYS_INLINE void tw_scale(const struct tw_scaling *s, const uint32_t *acc, int32_t o, int32_t count, uint8_t *y)
{
    if (s->is_narrow) {
        tw_narrow_run(&s->narrow, acc, 4, 1, 4, y, 1, count);
    } else if (s->fits) {
        tw_scale_fits(s, acc, o, count, y);
    } else {
        tw_scale_wide(s, acc, o, count, y);
    }
}

#endif
