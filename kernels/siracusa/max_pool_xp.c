/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_max_pool_xp
#define X_T int8_t
#define X_MIN INT8_MIN
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include "tw_cluster.h"
#include "tw_window.h"
#include "tw_xpulp.h"

/* The largest byte of each window in two dimensions, channel by channel, four channels at once, on all cores, which share
 * positions and channels alike; every window meets the input.
 *
 * x [n, in_h, in_w, channels] with steps x_pixel, x_row, x_image in bytes, y [n, out_h, out_w, channels] with its steps. */

#if X_MIN < 0
#define LARGER tw_max_b
#define LEAST 0x80808080u
#define LARGER_ASM(d, a) ".insn r 0x57, 1, 0x18, " d ", " d ", " a "\n\t" /* pv.max.b */
#else
#define LARGER tw_maxu_b
#define LEAST 0u
#define LARGER_ASM(d, a) ".insn r 0x57, 1, 0x1C, " d ", " d ", " a "\n\t" /* pv.maxu.b */
#endif

/* m[i] = the larger of it and of `taps` (at least 1) words, x_step apart, from x and from x + 4. */
TW_ALWAYS_INLINE void take(const uint8_t *x, ptrdiff_t x_step, int32_t taps, uint32_t m[2])
{
#if TW_XPULP
    const uint8_t *p = x, *q = x + 4;
    uint32_t a, b, m0 = m[0], m1 = m[1];
    __asm__ volatile(".balign 4\n\t.option push\n\t.option norvc\n\t"
                     ".insn i 0x7b, 4, x0, %[n], 8\n\t" /* lp.setup 0: 4 instructions */
                     ".insn r 0x0b, 7, 0x10, %[a], %[p], %[step]\n\t" /* p.lw rd, rs2(rs1!) */
                     ".insn r 0x0b, 7, 0x10, %[b], %[q], %[step]\n\t"
                     LARGER_ASM("%[m0]", "%[a]")
                     LARGER_ASM("%[m1]", "%[b]")
                     ".option pop\n\t"
                     : [a] "=&r"(a), [b] "=&r"(b), [p] "+r"(p), [q] "+r"(q), [m0] "+r"(m0), [m1] "+r"(m1)
                     : [n] "r"(taps), [step] "r"(x_step)
                     : "memory");
    m[0] = m0;
    m[1] = m1;
#else
    for (int32_t i = 0; i < taps; i++, x += x_step) {
        m[0] = LARGER(m[0], tw_load_word(x));
        m[1] = LARGER(m[1], tw_load_word(x + 4));
    }
#endif
}

void TW_KERNEL(const X_T *x, X_T *y, int32_t n, int32_t channels, int32_t in_h, int32_t in_w, int32_t out_h,
               int32_t out_w, int32_t kernel_h, int32_t kernel_w, int32_t stride_h, int32_t stride_w, int32_t dil_h,
               int32_t dil_w, int32_t pad_top, int32_t pad_left, int32_t x_pixel, int32_t x_row, int32_t x_image,
               int32_t y_pixel, int32_t y_row, int32_t y_image)
{
    /* Items are groups of eight channels of positions; the last group may have fewer. */
    const int32_t groups = (channels + 7) / 8;
    const struct tw_range part = tw_split((size_t)n * (size_t)out_h * (size_t)out_w * (size_t)groups, 1);
    int32_t item = (int32_t)part.begin;
    const int32_t position = tw_divide(item, groups), line = tw_divide(position, out_w);
    int32_t image = tw_divide(line, out_h), oh = line - image * out_h, ow = position - line * out_w;
    int32_t group = item - position * groups;
    while (item < (int32_t)part.end) {
        const int32_t sh = oh * stride_h - pad_top, sw = ow * stride_w - pad_left;
        const int32_t h0 = tw_first_tap(sh, dil_h, kernel_h), h1 = tw_end_tap(sh, dil_h, kernel_h, in_h);
        const int32_t w0 = tw_first_tap(sw, dil_w, kernel_w), w1 = tw_end_tap(sw, dil_w, kernel_w, in_w);
        const uint8_t *px = (const uint8_t *)x + (ptrdiff_t)image * x_image + (ptrdiff_t)(sh + h0 * dil_h) * x_row
            + (ptrdiff_t)(sw + w0 * dil_w) * x_pixel;
        uint8_t *py = (uint8_t *)y + (ptrdiff_t)image * y_image + (ptrdiff_t)oh * y_row + (ptrdiff_t)ow * y_pixel;
        for (; group < groups && item < (int32_t)part.end; group++, item++) {
            const int32_t c = 8 * group, some = channels - c < 8 ? channels - c : 8;
            const uint8_t *row = px + c;
            if (some == 8) {
                uint32_t m[2] = {LEAST, LEAST};
                for (int32_t kh = h0; kh < h1; kh++, row += (ptrdiff_t)dil_h * x_row) {
                    take(row, (ptrdiff_t)dil_w * x_pixel, w1 - w0, m);
                }
                tw_store_word(py + c, m[0]);
                tw_store_word(py + c + 4, m[1]);
            } else {
                for (int32_t i = 0; i < some; i++, row = px + c + i) {
                    X_T m = X_MIN;
                    for (int32_t kh = h0; kh < h1; kh++, row += (ptrdiff_t)dil_h * x_row) {
                        const X_T *tap = (const X_T *)row;
                        for (int32_t kw = w0; kw < w1; kw++, tap += (ptrdiff_t)dil_w * x_pixel) {
                            m = *tap > m ? *tap : m;
                        }
                    }
                    py[c + i] = (uint8_t)m;
                }
            }
        }
        group = 0;
        if (++ow == out_w) {
            ow = 0;
            if (++oh == out_h) {
                oh = 0;
                image++;
            }
        }
    }
}
