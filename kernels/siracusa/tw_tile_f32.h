/*
 * Tiles of products of floats: up to four rows by four columns in registers, sixteen multiply-adds for eight loads.
 * Two cores share a floating-point unit, which a tile keeps busy while the other core loads.
 */
#ifndef TW_TILE_F32_H
#define TW_TILE_F32_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "tw_xpulp.h"

/* How the terms of a sum lie in both operands: three loops, steps in elements. */
struct tw_terms {
    int32_t outer, middle, inner; /* each at least 1 */
    ptrdiff_t x_outer, x_middle, x_inner;
    ptrdiff_t w_outer, w_middle, w_inner;
};

#if TW_XPULP

#define TW_FLW(d, p) "flw " d ", 0(" p ")\n\t"
#define TW_NEXT(p, step) "add " p ", " p ", " step "\n\t"
#define TW_FMA(c, a, b) "fmadd.s " c ", " a ", " b ", " c "\n\t"
#define TW_ROW(c0, c1, c2, c3, a) TW_FMA(c0, a, "fs0") TW_FMA(c1, a, "fs1") TW_FMA(c2, a, "fs2") TW_FMA(c3, a, "fs3")
#define TW_FOUR(op, r0, r1, r2, r3, o0, o1, o2, o3)                                                                   \
    op " " r0 ", " o0 "(t3)\n\t" op " " r1 ", " o1 "(t3)\n\t" op " " r2 ", " o2 "(t3)\n\t" op " " r3 ", " o3 "(t3)\n\t"
#define TW_ACC(op)                                                                                                    \
    TW_FOUR(op, "ft0", "ft1", "ft2", "ft3", "0", "4", "8", "12")                                                      \
    TW_FOUR(op, "ft4", "ft5", "ft6", "ft7", "16", "20", "24", "28")                                                   \
    TW_FOUR(op, "fa0", "fa1", "fa2", "fa3", "32", "36", "40", "44")                                                   \
    TW_FOUR(op, "fa4", "fa5", "fa6", "fa7", "48", "52", "56", "60")

/*
 * acc[4 * i + j] (or 0 if `fresh`) += the sum of `count` products of line i of x and line j of w. Every other instruction is a
 * multiply-add: two cores that share a unit then take turns without waiting. Loads run one product ahead.
 */
TW_ALWAYS_INLINE void tw_run_4x4(const float *x, const ptrdiff_t x_line[4], ptrdiff_t x_inner, const float *w,
                                 const ptrdiff_t w_line[4], ptrdiff_t w_inner, int32_t count, float *acc, int fresh)
{
    register const float *x0 __asm__("a0") = x;
    register const float *x1 __asm__("a1") = x + x_line[1];
    register const float *x2 __asm__("a2") = x + x_line[2];
    register const float *x3 __asm__("a3") = x + x_line[3];
    register const float *w0 __asm__("a4") = w;
    register const float *w1 __asm__("a5") = w + w_line[1];
    register const float *w2 __asm__("a6") = w + w_line[2];
    register const float *w3 __asm__("a7") = w + w_line[3];
    register ptrdiff_t x_bytes __asm__("t0") = 4 * x_inner;
    register ptrdiff_t w_bytes __asm__("t1") = 4 * w_inner;
    register int32_t left __asm__("t2") = count - 1;
    register float *sums __asm__("t3") = acc;
    register int zero __asm__("t4") = fresh;
    __asm__ volatile(
        "beqz t4, 3f\n\t"
        "fmv.w.x ft0, zero\n\tfmv.w.x ft1, zero\n\tfmv.w.x ft2, zero\n\tfmv.w.x ft3, zero\n\t"
        "fmv.w.x ft4, zero\n\tfmv.w.x ft5, zero\n\tfmv.w.x ft6, zero\n\tfmv.w.x ft7, zero\n\t"
        "fmv.w.x fa0, zero\n\tfmv.w.x fa1, zero\n\tfmv.w.x fa2, zero\n\tfmv.w.x fa3, zero\n\t"
        "fmv.w.x fa4, zero\n\tfmv.w.x fa5, zero\n\tfmv.w.x fa6, zero\n\tfmv.w.x fa7, zero\n\t"
        "j 2f\n"
        "3:\n\t" TW_ACC("flw")
        "2:\n\t"
        TW_FLW("ft8", "a0") TW_FLW("ft9", "a1") TW_FLW("ft10", "a2") TW_FLW("ft11", "a3")
        TW_FLW("fs0", "a4") TW_FLW("fs1", "a5") TW_FLW("fs2", "a6") TW_FLW("fs3", "a7")
        "beqz t2, 1f\n\t"
        ".balign 4\n\t.option push\n\t.option norvc\n\t"
        ".insn i 0x7b, 4, x0, t2, 64\n\t" /* lp.setup 0: 32 instructions */
        TW_FMA("ft0", "ft8", "fs0") TW_NEXT("a0", "t0")
        TW_FMA("ft1", "ft8", "fs1") TW_NEXT("a1", "t0")
        TW_FMA("ft2", "ft8", "fs2") TW_NEXT("a2", "t0")
        TW_FMA("ft3", "ft8", "fs3") TW_FLW("ft8", "a0")
        TW_FMA("ft4", "ft9", "fs0") TW_NEXT("a3", "t0")
        TW_FMA("ft5", "ft9", "fs1") TW_NEXT("a4", "t1")
        TW_FMA("ft6", "ft9", "fs2") TW_NEXT("a5", "t1")
        TW_FMA("ft7", "ft9", "fs3") TW_FLW("ft9", "a1")
        TW_FMA("fa0", "ft10", "fs0") TW_NEXT("a6", "t1")
        TW_FMA("fa4", "ft11", "fs0") TW_FLW("fs0", "a4")
        TW_FMA("fa1", "ft10", "fs1") TW_NEXT("a7", "t1")
        TW_FMA("fa5", "ft11", "fs1") TW_FLW("fs1", "a5")
        TW_FMA("fa2", "ft10", "fs2") TW_FMA("fa6", "ft11", "fs2") TW_FLW("fs2", "a6")
        TW_FMA("fa3", "ft10", "fs3") TW_FLW("ft10", "a2")
        TW_FMA("fa7", "ft11", "fs3") TW_FLW("ft11", "a3") TW_FLW("fs3", "a7")
        ".option pop\n\t"
        "1:\n\t"
        TW_ROW("ft0", "ft1", "ft2", "ft3", "ft8") TW_ROW("ft4", "ft5", "ft6", "ft7", "ft9")
        TW_ROW("fa0", "fa1", "fa2", "fa3", "ft10") TW_ROW("fa4", "fa5", "fa6", "fa7", "ft11")
        TW_ACC("fsw")
        : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3), "+r"(w0), "+r"(w1), "+r"(w2), "+r"(w3)
        : "r"(x_bytes), "r"(w_bytes), "r"(left), "r"(sums), "r"(zero)
        : "memory", "ft0", "ft1", "ft2", "ft3", "ft4", "ft5", "ft6", "ft7", "ft8", "ft9", "ft10", "ft11", "fa0", "fa1",
          "fa2", "fa3", "fa4", "fa5", "fa6", "fa7", "fs0", "fs1", "fs2", "fs3");
}

#else

static inline void tw_run_4x4(const float *x, const ptrdiff_t x_line[4], ptrdiff_t x_inner, const float *w,
                              const ptrdiff_t w_line[4], ptrdiff_t w_inner, int32_t count, float *acc, int fresh)
{
    for (int k = 0; fresh && k < 16; k++) {
        acc[k] = 0.0f;
    }
    for (int32_t i = 0; i < count; i++) {
        for (int k = 0; k < 16; k++) {
            acc[k] = fmaf(x[i * x_inner + x_line[k / 4]], w[i * w_inner + w_line[k % 4]], acc[k]);
        }
    }
}

#endif

/*
 * acc[4 * i + j] = sum of row i of x (rows x_step apart) times column j of w (columns w_step apart). Of `rows` and `columns`, 2 to
 * 4 each, the last is computed again where there is no other: that is no slower than to leave it out.
 */
TW_ALWAYS_INLINE void tw_terms_up_to_4x4(const struct tw_terms *t, const float *x, ptrdiff_t x_step, const float *w,
                                         ptrdiff_t w_step, int32_t rows, int32_t columns, float acc[16])
{
    const ptrdiff_t x_line[4] = {0, x_step, rows > 2 ? 2 * x_step : x_step, (rows - 1) * x_step};
    const ptrdiff_t w_line[4] = {0, w_step, columns > 2 ? 2 * w_step : w_step, (columns - 1) * w_step};
    int fresh = 1;
    for (int32_t o = 0; o < t->outer; o++, x += t->x_outer, w += t->w_outer) {
        const float *xm = x, *wm = w;
        for (int32_t m = 0; m < t->middle; m++, xm += t->x_middle, wm += t->w_middle) {
            tw_run_4x4(xm, x_line, t->x_inner, wm, w_line, t->w_inner, t->inner, acc, fresh);
            fresh = 0;
        }
    }
}

TW_NEVER_INLINE void tw_terms_4x4(const struct tw_terms *t, const float *x, ptrdiff_t x_step, const float *w,
                                  ptrdiff_t w_step, float acc[16])
{
    tw_terms_up_to_4x4(t, x, x_step, w, w_step, 4, 4, acc);
}

TW_NEVER_INLINE void tw_terms_at_border(const struct tw_terms *t, const float *x, ptrdiff_t x_step, const float *w,
                                        ptrdiff_t w_step, int32_t rows, int32_t columns, float acc[16])
{
    tw_terms_up_to_4x4(t, x, x_step, w, w_step, rows, columns, acc);
}

#define TW_TERM_1x4(at)                                                                                               \
    {                                                                                                                 \
        const float a = x0[at], b0 = w0[at], b1 = w1[at], b2 = w2[at], b3 = w3[at];                                   \
        c0 = fmaf(a, b0, c0);                                                                                         \
        c1 = fmaf(a, b1, c1);                                                                                         \
        c2 = fmaf(a, b2, c2);                                                                                         \
        c3 = fmaf(a, b3, c3);                                                                                         \
    }

/* acc[j] = sum of one row of x times column j of w. */
TW_NEVER_INLINE void tw_terms_1x4(const struct tw_terms *t, const float *x, const float *w, ptrdiff_t w_step,
                                  float acc[4])
{
    float c0 = 0.0f, c1 = 0.0f, c2 = 0.0f, c3 = 0.0f;
    const ptrdiff_t x_inner = t->x_inner, w_inner = t->w_inner;
    for (int32_t o = 0; o < t->outer; o++) {
        const float *xm = x + o * t->x_outer, *wm = w + o * t->w_outer;
        for (int32_t m = 0; m < t->middle; m++, xm += t->x_middle, wm += t->w_middle) {
            const float *x0 = xm, *w0 = wm, *w1 = w0 + w_step, *w2 = w1 + w_step, *w3 = w2 + w_step;
            int32_t i = t->inner;
            if (x_inner == 1 && w_inner == 1) {
                for (; i >= 4; i -= 4, x0 += 4, w0 += 4, w1 += 4, w2 += 4, w3 += 4) {
                    TW_TERM_1x4(0)
                    TW_TERM_1x4(1)
                    TW_TERM_1x4(2)
                    TW_TERM_1x4(3)
                }
            }
            for (; i > 0; i--) {
                const float a = *x0, b0 = *w0, b1 = *w1, b2 = *w2, b3 = *w3;
                x0 += x_inner;
                w0 += w_inner;
                w1 += w_inner;
                w2 += w_inner;
                w3 += w_inner;
                c0 = fmaf(a, b0, c0);
                c1 = fmaf(a, b1, c1);
                c2 = fmaf(a, b2, c2);
                c3 = fmaf(a, b3, c3);
            }
        }
    }
    acc[0] = c0;
    acc[1] = c1;
    acc[2] = c2;
    acc[3] = c3;
}

/* The sum of one row of x times one column of w. */
TW_NEVER_INLINE float tw_terms_1x1(const struct tw_terms *t, const float *x, const float *w)
{
    float c = 0.0f;
    for (int32_t o = 0; o < t->outer; o++) {
        const float *xm = x + o * t->x_outer, *wm = w + o * t->w_outer;
        for (int32_t m = 0; m < t->middle; m++, xm += t->x_middle, wm += t->w_middle) {
            const float *x0 = xm, *w0 = wm;
            for (int32_t i = t->inner; i > 0; i--, x0 += t->x_inner, w0 += t->w_inner) {
                c = fmaf(*x0, *w0, c);
            }
        }
    }
    return c;
}

/* v clipped to lo .. hi, in two instructions; the library's functions look for signalling NaN. */
static inline float tw_clip_f32(float v, float lo, float hi)
{
#if TW_XPULP
    __asm__("fmax.s %0, %1, %2" : "=f"(v) : "f"(v), "f"(lo));
    __asm__("fmin.s %0, %1, %2" : "=f"(v) : "f"(v), "f"(hi));
    return v;
#else
    return fminf(fmaxf(v, lo), hi);
#endif
}

/* acc[4 * i + j] for `rows` by `columns` (1 to 4 each). */
static inline void tw_terms_tile(const struct tw_terms *t, const float *x, ptrdiff_t x_step, const float *w,
                                 ptrdiff_t w_step, int32_t rows, int32_t columns, float acc[16])
{
    if (rows == 4 && columns == 4) {
        tw_terms_4x4(t, x, x_step, w, w_step, acc);
    } else if (rows > 1 && columns > 1) {
        tw_terms_at_border(t, x, x_step, w, w_step, rows, columns, acc);
    } else if (columns == 4) {
        tw_terms_1x4(t, x, w, w_step, acc);
    } else if (rows == 4) {
        /* Four rows by one column: the operands change places. */
        const struct tw_terms turned = {t->outer, t->middle, t->inner, t->w_outer, t->w_middle,
                                        t->w_inner, t->x_outer, t->x_middle, t->x_inner};
        float column[4];
        tw_terms_1x4(&turned, w, x, x_step, column);
        for (int32_t i = 0; i < 4; i++) {
            acc[4 * i] = column[i];
        }
    } else {
        for (int32_t i = 0; i < rows; i++) {
            for (int32_t j = 0; j < columns; j++) {
                acc[4 * i + j] = tw_terms_1x1(t, x + i * x_step, w + j * w_step);
            }
        }
    }
}

#endif
