/*
 * All output channels of one or two pixels: dot products with weights of which four rows lie in turns, word by word
 * (`rows4`), and their requantisation in 32 bits.
 */
#ifndef TW_DOTS_H
#define TW_DOTS_H

#include "tw_dsp.h"

#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)

/* A function around the macro tw_four, which is `words` times: accumulators in r8 to r11, two turns of the loop at a time. */
#define TW_DOTS_BEGIN(name)                                                                                           \
    ".pushsection .text." name ",\"ax\",%progbits\n"                                                                  \
    ".syntax unified\n"                                                                                               \
    ".thumb\n"                                                                                                        \
    ".p2align 2\n"                                                                                                    \
    ".thumb_func\n"                                                                                                   \
    ".type " name ", %function\n" name ":\n"
#define TW_DOTS_END(name)                                                                                             \
    "push {r3, r4, r5, r6, r7, r8, r9, r10, r11, lr}\n"                                                               \
    "ldmia r3, {r8, r9, r10, r11}\n"                                                                                  \
    "lsrs r2, r2, #1\n"                                                                                               \
    "bcc 1f\n"                                                                                                        \
    "tw_four\n"                                                                                                       \
    "cmp r2, #0\n"                                                                                                    \
    "1: beq 3f\n"                                                                                                     \
    "2: tw_four\n"                                                                                                    \
    "tw_four\n"                                                                                                       \
    "subs r2, r2, #1\n"                                                                                               \
    "bne 2b\n"                                                                                                        \
    "3: pop {r3}\n"                                                                                                   \
    "stmia r3, {r8, r9, r10, r11}\n"                                                                                  \
    "pop {r4, r5, r6, r7, r8, r9, r10, r11, pc}\n"                                                                    \
    ".purgem tw_four\n"                                                                                               \
    ".size " name ", .-" name "\n"                                                                                    \
    ".popsection\n"

/*
 * Two columns by two rows: acc[0], acc[1] += a * rows 0, 1; acc[2], acc[3] += b * rows 0, 1. `x` has the columns in turns,
 * `w` begins with row 0 or 2. One instruction loads both columns, and one the words of both rows; they take 14 for 16 products.
 */
void tw_dots_2x2(const uint32_t *x, const uint32_t *w, int32_t words, uint32_t acc[4]);
__asm__(TW_DOTS_BEGIN("tw_dots_2x2")
        ".macro tw_four\n"
        "ldmia r0!, {r4, r5, r6, r7}\n"
        "ldrd r3, r12, [r1], #16\n"
        "sxtb16 lr, r3\n"
        "smlad r8, r4, lr, r8\n"
        "smlad r10, r6, lr, r10\n"
        "sxtb16 lr, r3, ror #8\n"
        "smlad r8, r5, lr, r8\n"
        "smlad r10, r7, lr, r10\n"
        "sxtb16 lr, r12\n"
        "smlad r9, r4, lr, r9\n"
        "smlad r11, r6, lr, r11\n"
        "sxtb16 lr, r12, ror #8\n"
        "smlad r9, r5, lr, r9\n"
        "smlad r11, r7, lr, r11\n"
        ".endm\n"
        TW_DOTS_END("tw_dots_2x2"));

/* One column by four rows; the bytes of the column are widened as they are loaded: 20 instructions for 16 products. */
#define TW_DOTS_1X4(name, widen)                                                                                      \
    void name(const void *x, const uint32_t *w, int32_t words, uint32_t acc[4]);                                      \
    __asm__(TW_DOTS_BEGIN(#name)                                                                                      \
            ".macro tw_four\n"                                                                                        \
            "ldr r12, [r0], #4\n"                                                                                     \
            "ldmia r1!, {r4, r5, r6, r7}\n" widen " r3, r12\n" widen " r12, r12, ror #8\n"                            \
            "sxtb16 lr, r4\n"                                                                                         \
            "smlad r8, r3, lr, r8\n"                                                                                  \
            "sxtb16 lr, r4, ror #8\n"                                                                                 \
            "smlad r8, r12, lr, r8\n"                                                                                 \
            "sxtb16 lr, r5\n"                                                                                         \
            "smlad r9, r3, lr, r9\n"                                                                                  \
            "sxtb16 lr, r5, ror #8\n"                                                                                 \
            "smlad r9, r12, lr, r9\n"                                                                                 \
            "sxtb16 lr, r6\n"                                                                                         \
            "smlad r10, r3, lr, r10\n"                                                                                \
            "sxtb16 lr, r6, ror #8\n"                                                                                 \
            "smlad r10, r12, lr, r10\n"                                                                               \
            "sxtb16 lr, r7\n"                                                                                         \
            "smlad r11, r3, lr, r11\n"                                                                                \
            "sxtb16 lr, r7, ror #8\n"                                                                                 \
            "smlad r11, r12, lr, r11\n"                                                                               \
            ".endm\n" TW_DOTS_END(#name))
TW_DOTS_1X4(tw_dots_1x4_signed, "sxtb16");
TW_DOTS_1X4(tw_dots_1x4_unsigned, "uxtb16");

static inline void tw_dots_1x4(const void *x, const uint32_t *w, int32_t words, uint32_t acc[4], int is_signed)
{
    if (is_signed) {
        tw_dots_1x4_signed(x, w, words, acc);
    } else {
        tw_dots_1x4_unsigned(x, w, words, acc);
    }
}

#else

static inline uint32_t tw_dots(uint32_t even, uint32_t odd, uint32_t w, uint32_t acc)
{
    const uint32_t w_even = tw_even(w, 1), w_odd = tw_odd(w, 1);
    acc = tw_high(even, w_even, tw_low(even, w_even, acc));
    return tw_high(odd, w_odd, tw_low(odd, w_odd, acc));
}

static inline void tw_dots_2x2(const uint32_t *x, const uint32_t *w, int32_t words, uint32_t acc[4])
{
    for (int32_t i = 0; i < words; i++, x += 4, w += 4) {
        for (int32_t j = 0; j < 4; j++) {
            acc[j] = tw_dots(x[j & 2], x[(j & 2) + 1], w[j & 1], acc[j]);
        }
    }
}

static inline void tw_dots_1x4(const void *x, const uint32_t *w, int32_t words, uint32_t acc[4], int is_signed)
{
    for (int32_t i = 0; i < words; i++, w += 4) {
        const uint32_t v = tw_word((const uint8_t *)x + 4 * i);
        for (int32_t j = 0; j < 4; j++) {
            acc[j] = tw_dots(tw_even(v, is_signed), tw_odd(v, is_signed), w[j], acc[j]);
        }
    }
}

#endif

/* The last one to three bytes of a column; what is missing of the word is 0. */
static inline uint32_t tw_last(const uint8_t *from, int32_t count)
{
    uint32_t v = from[0];
    v |= count > 1 ? (uint32_t)from[1] << 8 : 0;
    v |= count > 2 ? (uint32_t)from[2] << 16 : 0;
    return v;
}

/* Writes bytes as pairs of halfwords, one of two columns in turns. */
static inline uint32_t *tw_spread(uint32_t *to, const void *bytes, int32_t count, int is_signed)
{
    const uint8_t *from = bytes;
    for (; count >= 4; count -= 4, from += 4, to += 4) {
        const uint32_t v = tw_word(from);
        to[0] = tw_even(v, is_signed);
        to[1] = tw_odd(v, is_signed);
    }
    if (count > 0) {
        const uint32_t v = tw_last(from, count);
        to[0] = tw_even(v, is_signed);
        to[1] = tw_odd(v, is_signed);
        to += 4;
    }
    return to;
}

/* The same for zeros, in one of two columns. */
static inline uint32_t *tw_spread_zeros(uint32_t *to, int32_t words)
{
    for (; words > 0; words--, to += 4) {
        to[0] = 0;
        to[1] = 0;
    }
    return to;
}

/* A requantisation in 32 bits as kernels get it. */
struct tw_scale {
    const int32_t *mul;
    const int32_t *add;
    int32_t mul_step;
    int32_t add_step;
    int shift;
    int32_t lo;
    int32_t hi;
    uint32_t half; /* 2^(shift - 1), or 0 */
};

/* Results are bytes; most often every byte is one. */
static inline int32_t tw_scaled(const struct tw_scale *s, uint32_t acc, int32_t mul, uint32_t add, int is_signed)
{
    int32_t v = tw_byte((int32_t)(acc * (uint32_t)mul + add) >> s->shift, is_signed);
    if (s->hi - s->lo < 255) {
        v = v < s->lo ? s->lo : v > s->hi ? s->hi : v;
    }
    return v;
}

/* What is added for channel o, with what rounds. */
static inline uint32_t tw_addend(const struct tw_scale *s, int32_t o)
{
    return (uint32_t)s->add[o * s->add_step] + s->half;
}

#endif
