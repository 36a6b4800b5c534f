/*
 * One channel of a depthwise convolution with three by three taps, along a line of the image.
 *
 * The channel's bytes lie far apart, so they are loaded one by one, but each only once: a word holds the bytes of up
 * to four rows in one column, three columns are kept, and a dot product with the weights of a column serves
 * one output. With stride one, four rows give two lines of outputs: 25 cycles for 18 MAC and two requantisations.
 */
#ifndef TW_DEPTHWISE_H
#define TW_DEPTHWISE_H

#include <stddef.h>
#include <stdint.h>

#include "tw_xpulp.h"

/* A line of outputs, or two side by side, in every channel: where its rows and results begin, in bytes. */
struct tw_dw_rows {
    ptrdiff_t x[4];  /*  0 */
    ptrdiff_t y[2];  /* 16: the second is written first, so both may be the same */
    uint32_t w_mask; /* 24: lanes of rows that exist, for the first line */
    uint32_t v_mask; /* 28: for the second, whose weights lie one lane higher */
};

/* Lines of one channel. The assembly knows these offsets. */
struct tw_dw_lines {
    const uint8_t *x;             /*  0 */
    uint8_t *y;                   /*  4 */
    const struct tw_dw_rows *row; /*  8: at least one line */
    const struct tw_dw_rows *end; /* 12 */
    ptrdiff_t x_step;             /* 16: bytes from column to column */
    ptrdiff_t y_step;             /* 20: from result to result */
    uint32_t w[3];                /* 24: weights of the columns */
    int32_t less;                 /* 36: mul - 1; (acc * mul + add) >> shift fits 32 bits whatever x is */
    int32_t add;                  /* 40 */
    int32_t shift;                /* 44 */
    int32_t top;                  /* 48: results are clipped to 0 .. top or -top - 1 .. top */
    int32_t pad;                  /* 52: whether a column of zeros comes first */
    int32_t count;                /* 56: results of a line whose last column exists, at least 1 */
    int32_t last;                 /* 60: whether one more follows, whose last column is zeros */
};

#if TW_XPULP

#if TW_X_SIGNED && TW_W_SIGNED
#define TW_DW_DOT(d, x, w) ".insn r 0x57, 1, 0x4C, " d ", " x ", " w "\n\t"  /* pv.dotsp.b */
#define TW_DW_SDOT(d, x, w) ".insn r 0x57, 1, 0x5C, " d ", " x ", " w "\n\t" /* pv.sdotsp.b */
#elif TW_W_SIGNED
#define TW_DW_DOT(d, x, w) ".insn r 0x57, 1, 0x44, " d ", " x ", " w "\n\t"  /* pv.dotusp.b */
#define TW_DW_SDOT(d, x, w) ".insn r 0x57, 1, 0x54, " d ", " x ", " w "\n\t" /* pv.sdotusp.b */
#elif TW_X_SIGNED
#define TW_DW_DOT(d, x, w) ".insn r 0x57, 1, 0x44, " d ", " w ", " x "\n\t"
#define TW_DW_SDOT(d, x, w) ".insn r 0x57, 1, 0x54, " d ", " w ", " x "\n\t"
#else
#define TW_DW_DOT(d, x, w) ".insn r 0x57, 1, 0x40, " d ", " x ", " w "\n\t"  /* pv.dotup.b */
#define TW_DW_SDOT(d, x, w) ".insn r 0x57, 1, 0x50, " d ", " x ", " w "\n\t" /* pv.sdotup.b */
#endif

#define TW_DW_LBU(d, p) ".insn r 0x0b, 7, 0x20, " d ", " p ", t5\n\t" /* p.lbu d, t5(p!) */
#define TW_DW_SB(s, p) ".insn r 0x2b, 4, 0, t6, " p ", " s "\n\t"     /* p.sb s, t6(p!) */
#define TW_DW_INSERT1(d, s) ".insn r 0x57, 7, 0x59, " d ", " s ", x0\n\t" /* pv.insert.b, lanes 1, 2, 3 */
#define TW_DW_INSERT2(d, s) ".insn r 0x57, 7, 0x58, " d ", " s ", x1\n\t"
#define TW_DW_INSERT3(d, s) ".insn r 0x57, 7, 0x59, " d ", " s ", x1\n\t"
#define TW_DW_MAC(d, a, b) ".insn r 0x33, 0, 0x21, " d ", " a ", " b "\n\t" /* p.mac */
#define TW_DW_ADD_SHIFT(d) ".insn r 0x5b, 2, 0x20, " d ", s2, s3\n\t"    /* p.addNr */
#define TW_DW_SYMMETRIC(d) ".insn r 0x33, 5, 0x0A, " d ", " d ", s8\n\t"   /* p.clipr */
#define TW_DW_POSITIVE(d) ".insn r 0x33, 6, 0x0A, " d ", " d ", s8\n\t"    /* p.clipur */
/* rows a1 a2 a3 a4, y t3 t4, steps t5 t6, w a5 a6 a7, v t0 t1 t2, mul - 1 add shift top s1 s2 s3 s8, columns s4 s5 s6,
 * the line s11 */
#define TW_DW_OPEN                                                                                                    \
    ".balign 4\n\t.option push\n\t.option norvc\n\t"                                                                  \
    "lw s11, 8(%[t])\n\tlw t5, 16(%[t])\n\tlw t6, 20(%[t])\n\t"                                                        \
    "lw s1, 36(%[t])\n\tlw s2, 40(%[t])\n\tlw s3, 44(%[t])\n\tlw s8, 48(%[t])\n"                                       \
    "9:\n\t"                                                                                                          \
    "lw a1, 0(s11)\n\tlw a2, 4(s11)\n\tlw a3, 8(s11)\n\tlw a4, 12(s11)\n\t"                                           \
    "lw t3, 16(s11)\n\tlw t4, 20(s11)\n\tlw s9, 24(s11)\n\tlw s10, 28(s11)\n\t"                                       \
    "lw s4, 0(%[t])\n\tlw s5, 4(%[t])\n\tlw a5, 24(%[t])\n\tlw a6, 28(%[t])\n\tlw a7, 32(%[t])\n\t"                   \
    "add a1, a1, s4\n\tadd a2, a2, s4\n\tadd a3, a3, s4\n\tadd a4, a4, s4\n\tadd t3, t3, s5\n\tadd t4, t4, s5\n\t"    \
    "slli t0, a5, 8\n\tslli t1, a6, 8\n\tslli t2, a7, 8\n\t"                                                          \
    "and a5, a5, s9\n\tand a6, a6, s9\n\tand a7, a7, s9\n\t"                                                          \
    "and t0, t0, s10\n\tand t1, t1, s10\n\tand t2, t2, s10\n\t"                                                       \
    "lw s4, 52(%[t])\n\tlw s7, 56(%[t])\n\taddi s11, s11, 32\n\t"
#define TW_DW_CLOSE "3:\n\tlw s4, 12(%[t])\n\tbne s11, s4, 9b\n\t.option pop\n\t"
#define TW_DW_CLOBBERS                                                                                                \
    "memory", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "s1", "s2", "s3",   \
        "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11"
/* A column of four rows, or of three; the instruction behind it must not be the first to need s9. */
#define TW_DW_COLUMN4(d)                                                                                              \
    TW_DW_LBU(d, "a1") TW_DW_LBU("s9", "a2") TW_DW_LBU("s10", "a3") TW_DW_INSERT1(d, "s9") TW_DW_LBU("s9", "a4")      \
    TW_DW_INSERT2(d, "s10") TW_DW_INSERT3(d, "s9")
#define TW_DW_COLUMN3(d)                                                                                              \
    TW_DW_LBU(d, "a1") TW_DW_LBU("s9", "a2") TW_DW_LBU("s10", "a3") TW_DW_INSERT1(d, "s9") TW_DW_INSERT2(d, "s10")
/* Accumulators s9 and s10 of both lines become results; or s9 of one. */
#define TW_DW_STORE2(clip)                                                                                            \
    TW_DW_MAC("s9", "s9", "s1") TW_DW_MAC("s10", "s10", "s1") TW_DW_ADD_SHIFT("s9") TW_DW_ADD_SHIFT("s10")            \
    clip("s9") clip("s10") TW_DW_SB("s10", "t4") TW_DW_SB("s9", "t3")
#define TW_DW_STORE1(clip)                                                                                            \
    TW_DW_MAC("s9", "s9", "s1") TW_DW_ADD_SHIFT("s9") clip("s9") TW_DW_SB("s9", "t3")

/* 23 instructions for two results. */
#define TW_DW_PAIR(name, clip)                                                                                        \
    TW_ALWAYS_INLINE void name(const struct tw_dw_lines *lines)                                                       \
    {                                                                                                                 \
        __asm__ volatile(TW_DW_OPEN                                                                                   \
                         "beqz s4, 1f\n\t"                                                                            \
                         "mv s4, zero\n\tj 2f\n"                                                                      \
                         "1:\n\t" TW_DW_COLUMN4("s4")                                                                 \
                         "2:\n\t" TW_DW_COLUMN4("s5")                                                                 \
                         ".insn i 0x7b, 4, x0, s7, 46\n\t" /* lp.setup 0 */                                           \
                         TW_DW_COLUMN4("s6")                                                                          \
                         TW_DW_DOT("s9", "s4", "a5") TW_DW_DOT("s10", "s4", "t0")                                     \
                         TW_DW_SDOT("s9", "s5", "a6") TW_DW_SDOT("s10", "s5", "t1")                                   \
                         TW_DW_SDOT("s9", "s6", "a7") TW_DW_SDOT("s10", "s6", "t2")                                   \
                         "mv s4, s5\n\tmv s5, s6\n\t"                                                                 \
                         TW_DW_STORE2(clip)                                                                           \
                         "lw s7, 60(%[t])\n\t"                                                                        \
                         TW_DW_DOT("s9", "s4", "a5") TW_DW_DOT("s10", "s4", "t0")                                     \
                         TW_DW_SDOT("s9", "s5", "a6") TW_DW_SDOT("s10", "s5", "t1")                                   \
                         "beqz s7, 3f\n\t"                                                                            \
                         TW_DW_STORE2(clip)                                                                           \
                         TW_DW_CLOSE                                                                                  \
                         :                                                                                            \
                         : [t] "r"(lines)                                                                             \
                         : TW_DW_CLOBBERS);                                                                           \
    }

/* One line, two new columns for each result: 18 instructions. */
#define TW_DW_STRIDE2(name, clip)                                                                                     \
    TW_ALWAYS_INLINE void name(const struct tw_dw_lines *lines)                                                       \
    {                                                                                                                 \
        __asm__ volatile(TW_DW_OPEN                                                                                   \
                         "beqz s4, 1f\n\t"                                                                            \
                         "mv s4, zero\n\tj 2f\n"                                                                      \
                         "1:\n\t" TW_DW_COLUMN3("s4")                                                                 \
                         "2:\n\t"                                                                                     \
                         ".insn i 0x7b, 4, x0, s7, 36\n\t" /* lp.setup 0 */                                           \
                         TW_DW_LBU("s5", "a1") TW_DW_LBU("s9", "a2") TW_DW_LBU("s10", "a3")                           \
                         TW_DW_INSERT1("s5", "s9")                                                                    \
                         TW_DW_LBU("s6", "a1")                                                                        \
                         TW_DW_INSERT2("s5", "s10")                                                                   \
                         TW_DW_LBU("s9", "a2") TW_DW_LBU("s10", "a3")                                                 \
                         TW_DW_INSERT1("s6", "s9") TW_DW_INSERT2("s6", "s10")                                         \
                         TW_DW_DOT("s9", "s4", "a5") TW_DW_SDOT("s9", "s5", "a6") TW_DW_SDOT("s9", "s6", "a7")        \
                         "mv s4, s6\n\t"                                                                              \
                         TW_DW_STORE1(clip)                                                                           \
                         "lw s7, 60(%[t])\n\t"                                                                        \
                         "beqz s7, 3f\n\t"                                                                            \
                         TW_DW_COLUMN3("s5")                                                                          \
                         TW_DW_DOT("s9", "s4", "a5") TW_DW_SDOT("s9", "s5", "a6")                                     \
                         TW_DW_STORE1(clip)                                                                           \
                         TW_DW_CLOSE                                                                                  \
                         :                                                                                            \
                         : [t] "r"(lines)                                                                             \
                         : TW_DW_CLOBBERS);                                                                           \
    }

#else

#if TW_X_SIGNED && TW_W_SIGNED
#define TW_DW_SDOT(d, x, w) tw_sdotsp_b(d, x, w)
#elif TW_W_SIGNED
#define TW_DW_SDOT(d, x, w) tw_sdotusp_b(d, x, w)
#elif TW_X_SIGNED
#define TW_DW_SDOT(d, x, w) tw_sdotusp_b(d, w, x)
#else
#define TW_DW_SDOT(d, x, w) tw_sdotup_b(d, x, w)
#endif

#define TW_DW_SYMMETRIC tw_clipr
#define TW_DW_POSITIVE tw_clipur

static inline uint32_t tw_dw_column(const struct tw_dw_lines *lines, const struct tw_dw_rows *row, int32_t at, int rows)
{
    uint32_t column = 0;
    for (int r = 0; r < rows; r++) {
        column |= (uint32_t)lines->x[row->x[r] + at * lines->x_step] << (8 * r);
    }
    return column;
}

/* Two lines at once, or one with stride 2. */
#define TW_DW_TWIN(name, clip, both, stride)                                                                          \
    static inline void name(const struct tw_dw_lines *l)                                                              \
    {                                                                                                                 \
        for (const struct tw_dw_rows *row = l->row; row != l->end; row++) {                                           \
            for (int32_t i = 0; i < l->count + l->last; i++) {                                                        \
                for (int r = (both) - 1; r >= 0; r--) {                                                               \
                    uint32_t acc = 0;                                                                                 \
                    for (int k = 0; k < 3; k++) {                                                                     \
                        const int32_t at = i * (stride) + k - l->pad;                                                 \
                        const uint32_t w = r == 0 ? l->w[k] & row->w_mask : l->w[k] << 8 & row->v_mask;               \
                        if (at >= 0 && (k < 2 || i < l->count)) {                                                     \
                            acc = TW_DW_SDOT(acc, tw_dw_column(l, row, at, (both) + 2), w);                           \
                        }                                                                                             \
                    }                                                                                                 \
                    acc = tw_shift_right((uint32_t)l->add + acc + acc * (uint32_t)l->less, (uint32_t)l->shift);       \
                    l->y[row->y[r] + i * l->y_step] = (uint8_t)clip(acc, (uint32_t)l->top);                           \
                }                                                                                                     \
            }                                                                                                         \
        }                                                                                                             \
    }

#define TW_DW_PAIR(name, clip) TW_DW_TWIN(name, clip, 2, 1)
#define TW_DW_STRIDE2(name, clip) TW_DW_TWIN(name, clip, 1, 2)

#endif

TW_DW_PAIR(tw_dw_pair_symmetric, TW_DW_SYMMETRIC)
TW_DW_PAIR(tw_dw_pair_positive, TW_DW_POSITIVE)
TW_DW_STRIDE2(tw_dw_stride2_symmetric, TW_DW_SYMMETRIC)
TW_DW_STRIDE2(tw_dw_stride2_positive, TW_DW_POSITIVE)

#endif
