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

/* A line, or two side by side. The assembly knows these offsets. */
struct tw_dw_line {
    const uint8_t *rows[4]; /*  0: the next column's bytes */
    uint8_t *y[2];          /* 16: the next results; the second is written first, so both may be the same */
    ptrdiff_t x_step;       /* 24: bytes from column to column */
    ptrdiff_t y_step;       /* 28: from result to result */
    uint32_t w[3];          /* 32: weights of the columns, for the first line */
    uint32_t v[3];          /* 44: for the second */
    int32_t mul;            /* 56: (acc * mul + add) >> shift, clipped, fits 32 bits whatever x is */
    int32_t add;            /* 60 */
    int32_t shift;          /* 64 */
    int32_t top;            /* 68: results are clipped to 0 .. top or -top - 1 .. top */
    uint32_t columns[2];    /* 72: the two columns before the next one; afterwards the last two */
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
#define TW_DW_SYMMETRIC(d) ".insn r 0x33, 5, 0x0A, " d ", " d ", s8\n\t"   /* p.clipr */
#define TW_DW_POSITIVE(d) ".insn r 0x33, 6, 0x0A, " d ", " d ", s8\n\t"    /* p.clipur */
/* rows a1 a2 a3 a4, y t3 t4, steps t5 t6, w a5 a6 a7, v t0 t1 t2, mul add shift top s1 s2 s3 s8, columns s4 s5 s6 */
#define TW_DW_OPEN                                                                                                    \
    ".balign 4\n\t.option push\n\t.option norvc\n\t"                                                                  \
    "lw a1, 0(%[t])\n\tlw a2, 4(%[t])\n\tlw a3, 8(%[t])\n\tlw a4, 12(%[t])\n\t"                                       \
    "lw t3, 16(%[t])\n\tlw t4, 20(%[t])\n\tlw t5, 24(%[t])\n\tlw t6, 28(%[t])\n\t"                                    \
    "lw a5, 32(%[t])\n\tlw a6, 36(%[t])\n\tlw a7, 40(%[t])\n\tlw t0, 44(%[t])\n\t"                                    \
    "lw t1, 48(%[t])\n\tlw t2, 52(%[t])\n\tlw s1, 56(%[t])\n\tlw s2, 60(%[t])\n\t"                                    \
    "lw s3, 64(%[t])\n\tlw s8, 68(%[t])\n\tlw s4, 72(%[t])\n\tlw s5, 76(%[t])\n\t"
#define TW_DW_CLOSE                                                                                                   \
    "sw t3, 16(%[t])\n\tsw t4, 20(%[t])\n\tsw s4, 72(%[t])\n\tsw s5, 76(%[t])\n\t"                                    \
    ".option pop\n\t"
#define TW_DW_CLOBBERS                                                                                                \
    "memory", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "s1", "s2", "s3",   \
        "s4", "s5", "s6", "s7", "s8", "s9", "s10"

/* 25 instructions for two results. */
#define TW_DW_BOTH(name, clip)                                                                                        \
    static inline void name(struct tw_dw_line *line, int32_t count)                                                   \
    {                                                                                                                 \
        __asm__ volatile(TW_DW_OPEN                                                                                   \
                         ".insn i 0x7b, 4, x0, %[n], 50\n\t" /* lp.setup 0 */                                         \
                         TW_DW_LBU("s6", "a1") TW_DW_LBU("s9", "a2") TW_DW_LBU("s10", "a3")                           \
                         TW_DW_INSERT1("s6", "s9")                                                                    \
                         TW_DW_LBU("s9", "a4")                                                                        \
                         TW_DW_INSERT2("s6", "s10")                                                                   \
                         TW_DW_INSERT3("s6", "s9")                                                                    \
                         TW_DW_DOT("s9", "s4", "a5") TW_DW_DOT("s10", "s4", "t0")                                     \
                         TW_DW_SDOT("s9", "s5", "a6") TW_DW_SDOT("s10", "s5", "t1")                                   \
                         TW_DW_SDOT("s9", "s6", "a7") TW_DW_SDOT("s10", "s6", "t2")                                   \
                         "mv s4, s5\n\tmv s5, s6\n\tmv s6, s2\n\tmv s7, s2\n\t"                                       \
                         TW_DW_MAC("s6", "s9", "s1") TW_DW_MAC("s7", "s10", "s1")                                     \
                         "sra s6, s6, s3\n\tsra s7, s7, s3\n\t"                                                       \
                         clip("s6") clip("s7")                                                                        \
                         TW_DW_SB("s7", "t4") TW_DW_SB("s6", "t3")                                                    \
                         TW_DW_CLOSE                                                                                  \
                         :                                                                                            \
                         : [t] "r"(line), [n] "r"(count)                                                              \
                         : TW_DW_CLOBBERS);                                                                           \
    }

/* The same with nothing but zeros in the next column: 16 instructions for two results. */
#define TW_DW_LAST(name, clip)                                                                                        \
    static inline void name(struct tw_dw_line *line, int32_t count)                                                   \
    {                                                                                                                 \
        __asm__ volatile(TW_DW_OPEN                                                                                   \
                         ".insn i 0x7b, 4, x0, %[n], 32\n\t" /* lp.setup 0 */                                         \
                         TW_DW_DOT("s9", "s4", "a5") TW_DW_DOT("s10", "s4", "t0")                                     \
                         TW_DW_SDOT("s9", "s5", "a6") TW_DW_SDOT("s10", "s5", "t1")                                   \
                         "mv s4, s5\n\tmv s5, zero\n\tmv s6, s2\n\tmv s7, s2\n\t"                                     \
                         TW_DW_MAC("s6", "s9", "s1") TW_DW_MAC("s7", "s10", "s1")                                     \
                         "sra s6, s6, s3\n\tsra s7, s7, s3\n\t"                                                       \
                         clip("s6") clip("s7")                                                                        \
                         TW_DW_SB("s7", "t4") TW_DW_SB("s6", "t3")                                                    \
                         TW_DW_CLOSE                                                                                  \
                         :                                                                                            \
                         : [t] "r"(line), [n] "r"(count)                                                              \
                         : TW_DW_CLOBBERS);                                                                           \
    }

/* One line, two new columns for each result: 19 instructions. */
#define TW_DW_STRIDE2(name, clip)                                                                                     \
    static inline void name(struct tw_dw_line *line, int32_t count)                                                   \
    {                                                                                                                 \
        __asm__ volatile(TW_DW_OPEN                                                                                   \
                         "mv s4, s5\n\t"                                                                              \
                         ".insn i 0x7b, 4, x0, %[n], 38\n\t" /* lp.setup 0 */                                         \
                         TW_DW_LBU("s5", "a1") TW_DW_LBU("s9", "a2") TW_DW_LBU("s10", "a3")                           \
                         TW_DW_INSERT1("s5", "s9")                                                                    \
                         TW_DW_LBU("s6", "a1")                                                                        \
                         TW_DW_INSERT2("s5", "s10")                                                                   \
                         TW_DW_LBU("s9", "a2") TW_DW_LBU("s10", "a3")                                                 \
                         TW_DW_INSERT1("s6", "s9") TW_DW_INSERT2("s6", "s10")                                         \
                         TW_DW_DOT("s9", "s4", "a5") TW_DW_SDOT("s9", "s5", "a6") TW_DW_SDOT("s9", "s6", "a7")        \
                         "mv s4, s6\n\tmv s7, s2\n\t"                                                                 \
                         TW_DW_MAC("s7", "s9", "s1")                                                                  \
                         "sra s7, s7, s3\n\t"                                                                         \
                         clip("s7")                                                                                   \
                         TW_DW_SB("s7", "t3")                                                                         \
                         "mv s5, s4\n\t"                                                                              \
                         TW_DW_CLOSE                                                                                  \
                         :                                                                                            \
                         : [t] "r"(line), [n] "r"(count)                                                              \
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

static inline uint32_t tw_dw_column(struct tw_dw_line *line, int rows)
{
    uint32_t column = 0;
    for (int r = 0; r < rows; r++) {
        column |= (uint32_t)*line->rows[r] << (8 * r);
        line->rows[r] += line->x_step;
    }
    return column;
}

#define TW_DW_TWIN(name, clip, old, next)                                                                             \
    static inline void name(struct tw_dw_line *line, int32_t count)                                                   \
    {                                                                                                                 \
        for (int32_t i = 0; i < count; i++) {                                                                         \
            uint32_t c[3] = {line->columns[0], line->columns[1], 0};                                                  \
            old;                                                                                                      \
            c[2] = next;                                                                                              \
            for (int r = 1; r >= 0; r--) {                                                                            \
                const uint32_t *w = r == 0 ? line->w : line->v;                                                       \
                uint32_t acc = 0;                                                                                     \
                for (int k = 0; k < 3; k++) {                                                                         \
                    acc = TW_DW_SDOT(acc, c[k], w[k]);                                                                \
                }                                                                                                     \
                acc = tw_shift_right((uint32_t)line->add + acc * (uint32_t)line->mul, (uint32_t)line->shift);         \
                *line->y[r] = (uint8_t)clip(acc, (uint32_t)line->top);                                                \
                line->y[r] += line->y_step;                                                                           \
            }                                                                                                         \
            line->columns[0] = c[1];                                                                                  \
            line->columns[1] = c[2];                                                                                  \
        }                                                                                                             \
    }

#define TW_DW_BOTH(name, clip) TW_DW_TWIN(name, clip, (void)0, tw_dw_column(line, 4))
#define TW_DW_LAST(name, clip) TW_DW_TWIN(name, clip, (void)0, 0)
/* The second line is none: v is zero there, and y[1] is y[0]. */
#define TW_DW_STRIDE2(name, clip)                                                                                     \
    TW_DW_TWIN(name, clip, (c[0] = c[1], c[1] = tw_dw_column(line, 3), line->y[1] = line->y[0]), tw_dw_column(line, 3))

#endif

TW_DW_BOTH(tw_dw_both_symmetric, TW_DW_SYMMETRIC)
TW_DW_BOTH(tw_dw_both_positive, TW_DW_POSITIVE)
TW_DW_LAST(tw_dw_last_symmetric, TW_DW_SYMMETRIC)
TW_DW_LAST(tw_dw_last_positive, TW_DW_POSITIVE)
TW_DW_STRIDE2(tw_dw_stride2_symmetric, TW_DW_SYMMETRIC)
TW_DW_STRIDE2(tw_dw_stride2_positive, TW_DW_POSITIVE)

#endif
