/*
 * Tiles of int8 matrix products: four channels of up to four pixels at once, and their epilogue.
 *
 * A channel's weights are packed in blocks of four channels ("rows4" in docs/add-a-kernel.md): the words of four taps
 * of each of the four channels lie side by side, so one pointer walks through all of them; taps and channels that
 * do not exist are zero. Pixels lie anywhere, equally far apart. The header's user says by TW_X_SIGNED and
 * TW_W_SIGNED (0 or 1) which bytes have signs.
 *
 * Four by four is the largest tile whose accumulators, operands and pointers fit the registers: 16 dot products need 8
 * loads, 64 MAC in 24 cycles. Where results are known to fit 32 bits, accumulators become bytes in their registers, a
 * tile in all within the 512 bytes of a core's own instruction cache; else they are put down in memory and finished in a
 * loop over the pixels.
 */
#ifndef TW_TILE_H
#define TW_TILE_H

#include <stddef.h>
#include <stdint.h>

#include "tw_requant_xp.h"
#include "tw_xpulp.h"

/* What is known of four output channels. */
struct tw_channels {
    int32_t bias[4];
    /* clip((clip(acc, -limit - 1, limit) * mul + add) >> shift, 0, span) + lo is the requantised result in 32 bits. */
    int32_t mul[4];
    int32_t add[4];
    int32_t limit[4];
    /* Whether that is so; else 64 bits are needed. */
    int32_t narrow;
    /* Whether no accumulator reaches its limit. */
    int32_t bounded;
    /* mul - 1: p.mac of an accumulator with itself multiplies it in one cycle, mul takes two. */
    int32_t less[4];
};

/* How to walk through the operands, and where results wait. The assembly knows these offsets. */
struct tw_tile {
    int32_t words;  /*  0: of four taps, in a run, at least 1 */
    int32_t runs;   /*  4: runs of taps that are contiguous in x, at least 1 */
    int32_t x_skip; /*  8: bytes from behind a run of x to the next run */
    int32_t w_skip; /* 12: the same of the packed weights */
    int32_t shift;  /* 16: requantisation */
    int32_t span;   /* 20: hi - lo */
    uint32_t lo;    /* 24: lo in each lane */
    int32_t left;   /* 28: tiles of a row that are still to do */
    /* Of a row of tiles: */
    const struct tw_channels *channels; /* 32 */
    ptrdiff_t x_step;                   /* 36: from pixel to pixel */
    ptrdiff_t x_back;                   /* 40: from the last pixel to the first one's next word */
    ptrdiff_t x_tile;                   /* 44: from behind a tile's pixels to the next tile's */
    ptrdiff_t w_tile;                   /* 48: from behind the weights to their beginning */
    ptrdiff_t y_step;                   /* 52: from result to result */
    uint8_t *y;                         /* 56: the next result */
    int32_t acc[64]; /* 60: of channel c of pixel p at 4 * p + c; up to sixteen pixels wait */
};

/* The largest sum of so many products of bytes. */
static inline int32_t tw_reach(int32_t taps)
{
    const int32_t product = (TW_X_SIGNED ? 128 : 255) * (TW_W_SIGNED ? 128 : 255);
    return taps < INT32_MAX / product ? taps * product : INT32_MAX;
}

static inline void tw_tile_requant(struct tw_tile *t, const struct tw_rq *rq)
{
    t->shift = rq->shift;
    t->span = rq->hi - rq->lo;
    t->lo = ((uint32_t)rq->lo & 0xffu) * UINT32_C(0x01010101);
}

/*
 * The 32-bit form of one channel's requantisation; 0 if there is none. With |mul| < 2^bits and a limit of 2^(30 - bits) - 1,
 * products stay below 2^30; so do sums of the addend and what is folded into it, or the form is refused. A clipped
 * accumulator gives the right result if the limits already give results outside lo .. hi: the requantisation is
 * monotonous.
 */
TW_ALWAYS_INLINE int tw_channel_requant(struct tw_channels *c, int j, int32_t mul, int32_t add, const struct tw_rq *rq)
{
    const uint32_t magnitude = tw_abs((uint32_t)mul);
    const uint32_t bits = tw_fl1(magnitude | 1u) + 1;
    const uint32_t limit = (UINT32_C(0x40000000) >> bits) - 1;
    const uint32_t sum = (uint32_t)add + (uint32_t)(uint64_t)rq->fold;
    const uint32_t reach = limit * magnitude;
    c->mul[j] = mul;
    c->add[j] = tw_signed(sum);
    c->limit[j] = tw_signed(limit);
    /* The results at both limits; a factor of zero has only one. */
    return (uint32_t)add + (1u << 29) < 1u << 30 && bits <= 30
        && (mul == 0 || (tw_signed(sum + reach) >> rq->shift >= rq->hi - rq->lo
                         && tw_signed(sum - reach) >> rq->shift <= 0));
}

TW_ALWAYS_INLINE void tw_channels_less(struct tw_channels *c)
{
    for (int j = 0; j < 4; j++) {
        c->less[j] = tw_signed((uint32_t)c->mul[j] - 1u);
    }
}

/* The same where it is known to fit, accumulators as they are. */
TW_ALWAYS_INLINE void tw_channels_fit(struct tw_channels *c, const struct tw_rq *rq, const int32_t *mul,
                                      const int32_t *add, int32_t count)
{
    for (int j = 0; j < 4; j++, mul += rq->mul_step, add += rq->add_step) {
        c->mul[j] = j < count ? *mul : 0;
        c->add[j] = j < count ? tw_signed((uint32_t)*add + (uint32_t)(uint64_t)rq->fold) : 0;
        c->limit[j] = INT32_MAX;
    }
    c->narrow = 1;
    c->bounded = 1;
    tw_channels_less(c);
}

/* Channels o .. o + count - 1, of at most four, whose biases are set; the others are nothing. */
TW_NEVER_INLINE void tw_channels_requant(struct tw_channels *c, const struct tw_rq *rq, int32_t o, int32_t count)
{
    const int32_t *mul = rq->mul + (ptrdiff_t)o * rq->mul_step, *add = rq->add + (ptrdiff_t)o * rq->add_step;
    uint32_t limit = INT32_MAX, bias = 0;
    int narrow;
    if (rq->fits) {
        tw_channels_fit(c, rq, mul, add, count);
        return;
    }
    narrow = rq->shift <= 30 && rq->fold < 1 << 29 && rq->fold > -(1 << 29);
    for (int j = 0; j < 4 && narrow; j++) {
        if (j >= count) {
            c->mul[j] = 0;
            c->add[j] = 0;
            c->limit[j] = INT32_MAX;
        } else if (j == 0 || rq->mul_step + rq->add_step != 0) {
            narrow = tw_channel_requant(c, j, *mul, *add, rq);
            mul += rq->mul_step;
            add += rq->add_step;
        } else {
            c->mul[j] = c->mul[0];
            c->add[j] = c->add[0];
            c->limit[j] = c->limit[0];
        }
        limit = tw_min(limit, (uint32_t)c->limit[j]);
        bias = tw_maxu(bias, tw_abs((uint32_t)c->bias[j]));
    }
    c->narrow = narrow;
    /* Between what products reach and the least limit there is room for the largest bias. */
    c->bounded = tw_signed(limit) >= rq->reach && bias <= limit - (uint32_t)rq->reach;
    if (narrow) {
        tw_channels_less(c);
    }
}

#if TW_XPULP

/* Text of single instructions. */
#define TW_LW_IMM(d, imm, p) ".insn i 0x0b, 2, " d ", " imm "(" p ")\n\t"             /* p.lw d, imm(p!) */
#define TW_LW_REG(d, r, p) ".insn r 0x0b, 7, 0x10, " d ", " p ", " r "\n\t"           /* p.lw d, r(p!) */
#define TW_SW_REG(s, r, p) ".insn r 0x2b, 6, 0, " r ", " p ", " s "\n\t"              /* p.sw s, r(p!) */
#define TW_LP_COUNT1(r) ".insn i 0x7b, 2, x1, " r ", 0\n\t"                           /* lp.count 1, r */
#define TW_LP_START1(u) ".insn i 0x7b, 0, x1, x0, " u "\n\t"                          /* lp.starti 1 */
#define TW_LP_END1(u) ".insn i 0x7b, 1, x1, x0, " u "\n\t"                            /* lp.endi 1 */
#define TW_LP_SETUP0(r, u) ".insn i 0x7b, 4, x0, " r ", " u "\n\t"                    /* lp.setup 0, r */
#define TW_OPEN ".balign 4\n\t.option push\n\t.option norvc\n\t"
#define TW_CLOSE ".option pop\n\t"

#if TW_X_SIGNED && TW_W_SIGNED
#define TW_SDOT(d, x, w) ".insn r 0x57, 1, 0x5C, " d ", " x ", " w "\n\t" /* pv.sdotsp.b */
#elif TW_W_SIGNED
#define TW_SDOT(d, x, w) ".insn r 0x57, 1, 0x54, " d ", " x ", " w "\n\t" /* pv.sdotusp.b */
#elif TW_X_SIGNED
#define TW_SDOT(d, x, w) ".insn r 0x57, 1, 0x54, " d ", " w ", " x "\n\t" /* pv.sdotusp.b */
#else
#define TW_SDOT(d, x, w) ".insn r 0x57, 1, 0x50, " d ", " x ", " w "\n\t" /* pv.sdotup.b */
#endif

/* One word of the four weights, in a5 a6 a7 t0, times x, added to four accumulators. */
#define TW_SDOT4(a, b, c, d, x) TW_SDOT(a, x, "a5") TW_SDOT(b, x, "a6") TW_SDOT(c, x, "a7") TW_SDOT(d, x, "t0")
#define TW_LW4 TW_LW_IMM("a5", "4", "a2") TW_LW_IMM("a6", "4", "a2") TW_LW_IMM("a7", "4", "a2") TW_LW_IMM("t0", "4", "a2")
#define TW_SKIP(t) "lw a5, 8(" t ")\n\tlw a6, 12(" t ")\n\tadd a1, a1, a5\n\tadd a2, a2, a6\n\t"
#define TW_BIAS "lw t3, 0(a5)\n\tlw t4, 4(a5)\n\tlw t5, 8(a5)\n\tlw t6, 12(a5)\n\tlw a6, 4(%[t])\n\t"
#define TW_COPY(a, b, c, d) "mv " a ", t3\n\tmv " b ", t4\n\tmv " c ", t5\n\tmv " d ", t6\n\t"
#define TW_PUT(a, b, c, d, o0, o1, o2, o3)                                                                            \
    "sw " a ", " o0 "(%[t])\n\tsw " b ", " o1 "(%[t])\n\tsw " c ", " o2 "(%[t])\n\tsw " d ", " o3 "(%[t])\n\t"

/* From the biases, loaded to t3 .. t6, to all accumulators. */
#define TW_COPIES TW_COPY("s1", "s2", "s3", "s4") TW_COPY("s5", "s6", "s7", "s8") TW_COPY("s9", "s10", "s11", "ra")

/* The dot products of a run, words a5: 25 instructions, 24 for each word: none needs what the one before it loads. */
#define TW_DOTS                                                                                                       \
    TW_LP_SETUP0("a5", "48") TW_LW4                                                                                   \
    TW_LW_REG("t1", "a3", "a1") TW_LW_REG("t2", "a3", "a1")                                                           \
    TW_SDOT4("t3", "t4", "t5", "t6", "t1")                                                                            \
    TW_LW_REG("t1", "a3", "a1")                                                                                       \
    TW_SDOT4("s1", "s2", "s3", "s4", "t2")                                                                            \
    TW_LW_REG("t2", "a4", "a1")                                                                                       \
    TW_SDOT4("s5", "s6", "s7", "s8", "t1") TW_SDOT4("s9", "s10", "s11", "ra", "t2")

/* Accumulators of four pixels x, x + step, ... into t->acc, from the four biases; the next word of a pixel is word_step
 * bytes on. */
TW_ALWAYS_INLINE void tw_tile_dot4(struct tw_tile *t, const int32_t *bias, const void *x_at,
                                ptrdiff_t step, ptrdiff_t word_step, const void *w_at)
{
    register const void *x __asm__("a1") = x_at;
    register const void *w __asm__("a2") = w_at;
    register ptrdiff_t next __asm__("a3") = step;
    register ptrdiff_t back __asm__("a4") = word_step - 3 * step;
    register const void *c __asm__("a5") = bias;
    __asm__ volatile(
        TW_OPEN
        TW_BIAS
        TW_COPIES
        TW_LP_COUNT1("a6")
        TW_LP_START1("4")
        TW_LP_END1("60")
        /* 30 instructions for each run: */
        "lw a5, 0(%[t])\n\t"
        TW_DOTS
        TW_SKIP("%[t]")
        TW_PUT("t3", "t4", "t5", "t6", "60", "64", "68", "72")
        TW_PUT("s1", "s2", "s3", "s4", "76", "80", "84", "88")
        TW_PUT("s5", "s6", "s7", "s8", "92", "96", "100", "104")
        TW_PUT("s9", "s10", "s11", "ra", "108", "112", "116", "120")
        TW_CLOSE
        : "+r"(x), "+r"(w), "+r"(c)
        : [t] "r"(t), "r"(next), "r"(back)
        : "memory", "ra", "a6", "a7", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "s1", "s2", "s3", "s4", "s5", "s6",
          "s7", "s8", "s9", "s10", "s11");
}

/* The same of two pixels. */
TW_ALWAYS_INLINE void tw_tile_dot2(struct tw_tile *t, const int32_t *bias, const void *x_at,
                                ptrdiff_t step, ptrdiff_t word_step, const void *w_at)
{
    register const void *x __asm__("a1") = x_at;
    register const void *w __asm__("a2") = w_at;
    register ptrdiff_t next __asm__("a3") = step;
    register ptrdiff_t back __asm__("a4") = word_step - step;
    register const void *c __asm__("a5") = bias;
    __asm__ volatile(
        TW_OPEN
        TW_BIAS
        TW_COPY("s1", "s2", "s3", "s4")
        TW_LP_COUNT1("a6")
        TW_LP_START1("4")
        TW_LP_END1("40")
        /* 20 instructions for each run: */
        "lw a5, 0(%[t])\n\t"
        TW_LP_SETUP0("a5", "28")
        /* 14 for each word: */
        TW_LW4
        TW_LW_REG("t1", "a3", "a1")
        TW_LW_REG("t2", "a4", "a1")
        TW_SDOT4("t3", "t4", "t5", "t6", "t1")
        TW_SDOT4("s1", "s2", "s3", "s4", "t2")
        TW_SKIP("%[t]")
        TW_PUT("t3", "t4", "t5", "t6", "60", "64", "68", "72")
        TW_PUT("s1", "s2", "s3", "s4", "76", "80", "84", "88")
        TW_CLOSE
        : "+r"(x), "+r"(w), "+r"(c)
        : [t] "r"(t), "r"(next), "r"(back)
        : "memory", "a6", "a7", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "s1", "s2", "s3", "s4");
}

/* The same of one pixel, whose words lie side by side. */
TW_ALWAYS_INLINE void tw_tile_dot1(struct tw_tile *t, const int32_t *bias, const void *x_at,
                                const void *w_at)
{
    register const void *x __asm__("a1") = x_at;
    register const void *w __asm__("a2") = w_at;
    register const void *c __asm__("a5") = bias;
    __asm__ volatile(
        TW_OPEN
        TW_BIAS
        TW_LP_COUNT1("a6")
        TW_LP_START1("4")
        TW_LP_END1("30")
        /* 15 instructions for each run: */
        "lw a5, 0(%[t])\n\t"
        TW_LP_SETUP0("a5", "18")
        /* 9 for each word: */
        TW_LW_IMM("t1", "4", "a1")
        TW_LW4
        TW_SDOT4("t3", "t4", "t5", "t6", "t1")
        TW_SKIP("%[t]")
        TW_PUT("t3", "t4", "t5", "t6", "60", "64", "68", "72")
        TW_CLOSE
        : "+r"(x), "+r"(w), "+r"(c)
        : [t] "r"(t)
        : "memory", "a6", "a7", "t0", "t1", "t3", "t4", "t5", "t6");
}

/* Requantises in place, in 32 bits, what four pixels have of a channel (mul - 1 in a7, add t0, shift a5, span a6); between,
 * the next channel's are loaded. */
#define TW_EACH4(f, a, b, c, d) f(a) f(b) f(c) f(d)
#define TW_SCALE(a) ".insn r 0x33, 0, 0x21, " a ", " a ", a7\n\t"     /* p.mac */
#define TW_ADD_SHIFT(a) ".insn r 0x5b, 2, 0x20, " a ", t0, a5\n\t" /* p.addNr */
#define TW_CUT(a) ".insn r 0x33, 6, 0x0A, " a ", " a ", a6\n\t"    /* p.clipur */
#define TW_FINISH(next_mul, next_add, a, b, c, d)                                                                     \
    TW_EACH4(TW_SCALE, a, b, c, d) next_mul TW_EACH4(TW_ADD_SHIFT, a, b, c, d) next_add TW_EACH4(TW_CUT, a, b, c, d)

/* Stores the four bytes of a pixel: lo in t2, from result to result a7. */
#define TW_STORE4(a, b, c, d)                                                                                         \
    ".insn r 0x57, 1, 0x70, " a ", " b ", " a "\n\t" /* pv.packlo.b */                                                \
    ".insn r 0x57, 1, 0x6C, " a ", " d ", " c "\n\t" /* pv.packhi.b */                                                \
    ".insn r 0x57, 1, 0x00, " a ", " a ", t2\n\t"    /* pv.add.b */                                                   \
    TW_SW_REG(a, "a7", "a0")

/* From the accumulators of four pixels to their results, for which they are within their limits: 77 instructions. */
#define TW_TILE_FINISH                                                                                                \
    "lw t1, 32(s0)\n\tlw a5, 16(s0)\n\tlw a7, 72(t1)\n\tlw t0, 32(t1)\n\tlw a6, 20(s0)\n\t"                           \
    TW_FINISH("lw a7, 76(t1)\n\t", "lw t0, 36(t1)\n\t", "t3", "s1", "s5", "s9")                                       \
    TW_FINISH("lw a7, 80(t1)\n\t", "lw t0, 40(t1)\n\t", "t4", "s2", "s6", "s10")                                      \
    TW_FINISH("lw a7, 84(t1)\n\t", "lw t0, 44(t1)\n\t", "t5", "s3", "s7", "s11")                                      \
    TW_FINISH("lw t2, 24(s0)\n\t", "lw a7, 52(s0)\n\t", "t6", "s4", "s8", "ra")                                       \
    TW_STORE4("t3", "t4", "t5", "t6") TW_STORE4("s1", "s2", "s3", "s4")                                               \
    TW_STORE4("s5", "s6", "s7", "s8") TW_STORE4("s9", "s10", "s11", "ra")

/*
 * A row of t->left tiles from x_at to t->y, requantised in 32 bits in the registers. Everything is here, not in C, to fit
 * the core's 512 bytes of instruction cache; what registers cannot hold is in `t`.
 */
#define TW_TILE_ROW(name, text)                                                                                       \
    TW_ALWAYS_INLINE void name(struct tw_tile *tile, const void *x_at, const void *w_at)                              \
    {                                                                                                                 \
        register struct tw_tile *t __asm__("s0") = tile;                                                              \
        register const void *x __asm__("a1") = x_at;                                                                  \
        register const void *w __asm__("a2") = w_at;                                                                  \
        __asm__ volatile(TW_OPEN text TW_CLOSE                                                                        \
                         : "+r"(x), "+r"(w)                                                                           \
                         : "r"(t)                                                                                     \
                         : "memory", "ra", "a0", "a3", "a4", "a5", "a6", "a7", "t0", "t1", "t2", "t3", "t4", "t5",    \
                           "t6", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11");                 \
    }

/* No accumulator reaches its limit, and taps are one run: the outer hardware loop counts tiles, 124 instructions each. */
TW_TILE_ROW(tw_tile_row_run,
            "lw a4, 28(s0)\n\tlw a0, 56(s0)\n\tlw a3, 36(s0)\n\t"
            TW_LP_COUNT1("a4") "lw a4, 40(s0)\n\t"
            TW_LP_START1("4") TW_LP_END1("248")
            "lw t1, 32(s0)\n\tlw a5, 0(s0)\n\t"
            "lw t3, 0(t1)\n\tlw t4, 4(t1)\n\tlw t5, 8(t1)\n\tlw t6, 12(t1)\n\t"
            TW_COPIES TW_DOTS TW_TILE_FINISH
            "lw a5, 44(s0)\n\tlw a6, 48(s0)\n\tadd a1, a1, a5\n\tadd a2, a2, a6\n\t")
/* No accumulator reaches its limit: the outer hardware loop counts runs. */
TW_TILE_ROW(tw_tile_row_runs,
            "lw a0, 56(s0)\n\tlw a3, 36(s0)\n\tlw a4, 40(s0)\n\t"
            "1:\n\t"
            "lw t1, 32(s0)\n\tlw a5, 4(s0)\n\t"
            "lw t3, 0(t1)\n\tlw t4, 4(t1)\n\tlw t5, 8(t1)\n\tlw t6, 12(t1)\n\t"
            TW_COPIES TW_LP_COUNT1("a5") TW_LP_START1("4") TW_LP_END1("60")
            "lw a5, 0(s0)\n\t" TW_DOTS TW_SKIP("s0") TW_TILE_FINISH
            "lw a6, 28(s0)\n\tlw a5, 44(s0)\n\tlw a7, 48(s0)\n\taddi a6, a6, -1\n\tsw a6, 28(s0)\n\t"
            "add a1, a1, a5\n\tadd a2, a2, a7\n\tbnez a6, 1b\n\t")

/* The 32-bit requantisation of `pixels` (at least 1) times four accumulators; a pixel's results are one word. */
TW_ALWAYS_INLINE void tw_tile_finish(const struct tw_tile *t, const struct tw_channels *channels, int pixels,
                                  void *y_at, ptrdiff_t y_pixel)
{
    register void *y __asm__("a1") = y_at;
    register ptrdiff_t step __asm__("a2") = y_pixel;
    register int count __asm__("a3") = pixels;
    register const void *c __asm__("a5") = channels;
    register const void *at __asm__("a4") = t->acc;
    __asm__ volatile(
        TW_OPEN
        /* t3 shift, t4 span, t5 lo; mul - 1 s1.., add s5.., limit s9.. a6 */
        "lw t3, 16(%[t])\n\t"
        "lw t4, 20(%[t])\n\t"
        "lw t5, 24(%[t])\n\t"
        "lw s1, 72(a5)\n\tlw s2, 76(a5)\n\tlw s3, 80(a5)\n\tlw s4, 84(a5)\n\t"
        "lw s5, 32(a5)\n\tlw s6, 36(a5)\n\tlw s7, 40(a5)\n\tlw s8, 44(a5)\n\t"
        "lw s9, 48(a5)\n\tlw s10, 52(a5)\n\tlw s11, 56(a5)\n\tlw a6, 60(a5)\n\t"
        TW_LP_SETUP0("a3", "48")
        /* 24 instructions for each pixel: */
        TW_LW_IMM("t0", "4", "a4") TW_LW_IMM("t1", "4", "a4") TW_LW_IMM("t2", "4", "a4") TW_LW_IMM("t6", "4", "a4")
        ".insn r 0x33, 5, 0x0A, t0, t0, s9\n\t" /* p.clipr */
        ".insn r 0x33, 5, 0x0A, t1, t1, s10\n\t"
        ".insn r 0x33, 5, 0x0A, t2, t2, s11\n\t"
        ".insn r 0x33, 5, 0x0A, t6, t6, a6\n\t"
        ".insn r 0x33, 0, 0x21, t0, t0, s1\n\t" /* p.mac */
        ".insn r 0x33, 0, 0x21, t1, t1, s2\n\t"
        ".insn r 0x33, 0, 0x21, t2, t2, s3\n\t"
        ".insn r 0x33, 0, 0x21, t6, t6, s4\n\t"
        ".insn r 0x5b, 2, 0x20, t0, s5, t3\n\t" /* p.addNr */
        ".insn r 0x5b, 2, 0x20, t1, s6, t3\n\t"
        ".insn r 0x5b, 2, 0x20, t2, s7, t3\n\t"
        ".insn r 0x5b, 2, 0x20, t6, s8, t3\n\t"
        ".insn r 0x33, 6, 0x0A, t0, t0, t4\n\t" /* p.clipur */
        ".insn r 0x33, 6, 0x0A, t1, t1, t4\n\t"
        ".insn r 0x33, 6, 0x0A, t2, t2, t4\n\t"
        ".insn r 0x33, 6, 0x0A, t6, t6, t4\n\t"
        ".insn r 0x57, 1, 0x70, t0, t1, t0\n\t" /* pv.packlo.b */
        ".insn r 0x57, 1, 0x6C, t0, t6, t2\n\t" /* pv.packhi.b */
        ".insn r 0x57, 1, 0x00, t0, t0, t5\n\t" /* pv.add.b */
        TW_SW_REG("t0", "a2", "a1")
        TW_CLOSE
        : "+r"(y), "+r"(at), "+r"(count), "+r"(c)
        : [t] "r"(t), "r"(step)
        : "memory", "a6", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9",
          "s10", "s11");
}

#else

#if TW_X_SIGNED && TW_W_SIGNED
#define TW_SDOT(d, x, w) tw_sdotsp_b(d, x, w)
#elif TW_W_SIGNED
#define TW_SDOT(d, x, w) tw_sdotusp_b(d, x, w)
#elif TW_X_SIGNED
#define TW_SDOT(d, x, w) tw_sdotusp_b(d, w, x)
#else
#define TW_SDOT(d, x, w) tw_sdotup_b(d, x, w)
#endif

static inline void tw_tile_twin(struct tw_tile *t, const int32_t *bias, const void *x_at,
                                ptrdiff_t step, ptrdiff_t word_step, const void *w_at, int pixels)
{
    const uint8_t *x = (const uint8_t *)x_at;
    const uint8_t *w = (const uint8_t *)w_at;
    uint32_t acc[16];
    for (int i = 0; i < 4 * pixels; i++) {
        acc[i] = (uint32_t)bias[i % 4];
    }
    for (int32_t r = 0; r < t->runs; r++) {
        for (int32_t k = 0; k < t->words; k++, x += word_step, w += 16) {
            for (int i = 0; i < 4 * pixels; i++) {
                acc[i] = TW_SDOT(acc[i], tw_load_word(x + i / 4 * step), tw_load_word(w + i % 4 * 4));
            }
        }
        x += t->x_skip;
        w += t->w_skip;
    }
    for (int i = 0; i < 4 * pixels; i++) {
        t->acc[i] = tw_signed(acc[i]);
    }
}

TW_ALWAYS_INLINE void tw_tile_dot4(struct tw_tile *t, const int32_t *bias, const void *x, ptrdiff_t step,
                                ptrdiff_t word_step, const void *w)
{
    tw_tile_twin(t, bias, x, step, word_step, w, 4);
}

TW_ALWAYS_INLINE void tw_tile_dot2(struct tw_tile *t, const int32_t *bias, const void *x, ptrdiff_t step,
                                ptrdiff_t word_step, const void *w)
{
    tw_tile_twin(t, bias, x, step, word_step, w, 2);
}

TW_ALWAYS_INLINE void tw_tile_dot1(struct tw_tile *t, const int32_t *bias, const void *x, const void *w)
{
    tw_tile_twin(t, bias, x, 0, 4, w, 1);
}

TW_ALWAYS_INLINE void tw_tile_finish(const struct tw_tile *t, const struct tw_channels *c, int pixels, void *y_at,
                                  ptrdiff_t y_pixel)
{
    uint8_t *y = (uint8_t *)y_at;
    for (int p = 0; p < pixels; p++, y += y_pixel) {
        uint32_t v[4], word = 0;
        for (int j = 0; j < 4; j++) {
            const uint32_t acc = tw_clipr((uint32_t)t->acc[4 * p + j], (uint32_t)c->limit[j]);
            const uint32_t sum = tw_mac((uint32_t)c->add[j], acc, (uint32_t)c->mul[j]);
            v[j] = tw_clipur(tw_shift_right(sum, (uint32_t)t->shift), (uint32_t)t->span);
        }
        word = tw_packhi_b(tw_packlo_b(word, v[1], v[0]), v[3], v[2]);
        tw_store_word(y, tw_add_b(word, t->lo));
    }
}

static inline void tw_tile_row_runs(struct tw_tile *t, const void *x_at, const void *w)
{
    const ptrdiff_t word_step = t->x_back + 3 * t->x_step;
    const uint8_t *x = (const uint8_t *)x_at;
    for (; t->left > 0; t->left--, x += 4 * t->x_step, t->y += 4 * t->y_step) {
        tw_tile_twin(t, t->channels->bias, x, t->x_step, word_step, w, 4);
        tw_tile_finish(t, t->channels, 4, t->y, t->y_step);
    }
}

static inline void tw_tile_row_run(struct tw_tile *t, const void *x, const void *w)
{
    tw_tile_row_runs(t, x, w);
}

#endif

/* Requantises `count` (1 to 4) channels from o of `pixels` pixels one by one, into bytes. */
TW_NEVER_INLINE void tw_finish_each(const struct tw_tile *t, const struct tw_channels *c, const struct tw_rq *rq,
                                    int32_t o, int32_t count, int pixels, uint8_t *y, ptrdiff_t y_pixel)
{
    const int32_t *acc = t->acc;
    for (int p = 0; p < pixels; p++, y += y_pixel, acc += 4) {
        const int32_t *mul = rq->mul + (ptrdiff_t)o * rq->mul_step, *add = rq->add + (ptrdiff_t)o * rq->add_step;
        for (int j = 0; j < count; j++, mul += rq->mul_step, add += rq->add_step) {
            if (c->narrow) {
                const uint32_t v = tw_clipr((uint32_t)acc[j], (uint32_t)c->limit[j]);
                const uint32_t sum = tw_mac((uint32_t)c->add[j], v, (uint32_t)c->mul[j]);
                y[j] = (uint8_t)(tw_clipur((uint32_t)(tw_signed(sum) >> t->shift), (uint32_t)t->span) + t->lo);
            } else {
                y[j] = (uint8_t)tw_requant_wide(rq, acc[j], *mul, *add);
            }
        }
    }
}

/* Stores `count` (1 to 4) accumulators of `pixels` pixels; y_pixel in bytes. */
TW_NEVER_INLINE void tw_store_each(const struct tw_tile *t, int32_t count, int pixels, uint8_t *y, ptrdiff_t y_pixel)
{
    const int32_t *acc = t->acc;
    for (int p = 0; p < pixels; p++, y += y_pixel, acc += 4) {
        for (int j = 0; j < count; j++) {
            ((int32_t *)(void *)y)[j] = acc[j];
        }
    }
}

/* The results of a tile by the slow way. */
TW_ALWAYS_INLINE void tw_tile_one_by_one(const struct tw_tile *t, const struct tw_channels *c, const struct tw_rq *rq,
                                         int32_t o, int32_t count, int pixels, void *y, ptrdiff_t y_pixel)
{
    if (rq == NULL) {
        tw_store_each(t, count, pixels, (uint8_t *)y, y_pixel);
    } else {
        tw_finish_each(t, c, rq, o, count, pixels, (uint8_t *)y, y_pixel);
    }
}

/* The results of a tile: bytes where they are requantised (rq), else accumulators. y_pixel in bytes. */
TW_ALWAYS_INLINE void tw_tile_results(const struct tw_tile *t, const struct tw_channels *c, const struct tw_rq *rq,
                                      int32_t o, int32_t count, int pixels, void *y, ptrdiff_t y_pixel)
{
    if (rq != NULL && c->narrow && count == 4) {
        tw_tile_finish(t, c, pixels, y, y_pixel);
    } else {
        tw_tile_one_by_one(t, c, rq, o, count, pixels, y, y_pixel);
    }
}

/*
 * `quads` (at least 1) tiles of four pixels beside each other: pixels x_step bytes apart, their words word_step,
 * results y_step. Channels and requantisation are those of tw_tile_results.
 */
TW_NEVER_INLINE void tw_tile_quads(struct tw_tile *t, const struct tw_channels *c, const struct tw_rq *rq, int32_t o,
                                   int32_t count, int32_t quads, const void *x_at, ptrdiff_t x_step,
                                   ptrdiff_t word_step, const void *w, void *y_at, ptrdiff_t y_step)
{
    const uint8_t *x = (const uint8_t *)x_at;
    uint8_t *y = (uint8_t *)y_at;
    if (rq != NULL && c->narrow && c->bounded && count == 4) {
        t->channels = c;
        t->x_step = x_step;
        t->x_back = word_step - 3 * x_step;
        t->x_tile = 4 * x_step - t->runs * (t->words * word_step + t->x_skip);
        t->w_tile = -t->runs * (16 * t->words + t->w_skip);
        t->y_step = y_step;
        t->y = y;
        t->left = quads;
        if (t->runs == 1) {
            t->x_tile += t->x_skip;
            t->w_tile += t->w_skip;
            tw_tile_row_run(t, x, w);
        } else {
            tw_tile_row_runs(t, x, w);
        }
    } else {
        for (; quads > 0; quads--, x += 4 * x_step, y += 4 * y_step) {
            tw_tile_dot4(t, c->bias, x, x_step, word_step, w);
            tw_tile_results(t, c, rq, o, count, 4, y, y_step);
        }
    }
}

/* One to three pixels, whose words lie side by side. */
TW_NEVER_INLINE void tw_tile_rest(struct tw_tile *t, const struct tw_channels *c, const struct tw_rq *rq, int32_t o,
                                  int32_t count, int32_t pixels, const void *x_at, ptrdiff_t x_step, const void *w,
                                  void *y_at, ptrdiff_t y_step)
{
    const uint8_t *x = (const uint8_t *)x_at;
    if ((pixels & 1) != 0) {
        /* The last one first: its accumulators make room. */
        tw_tile_dot1(t, c->bias, x + (pixels - 1) * x_step, w);
        for (int i = 0; i < 4 && pixels == 3; i++) {
            t->acc[8 + i] = t->acc[i];
        }
    }
    if ((pixels & 2) != 0) {
        tw_tile_dot2(t, c->bias, x, x_step, 4, w);
    }
    tw_tile_results(t, c, rq, o, count, pixels, y_at, y_step);
}

#endif
