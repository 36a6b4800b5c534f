/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_average_pool_xp
#define X_T int8_t
#define X_MIN INT8_MIN
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include "tw_cluster.h"
#include "tw_window.h"
#include "tw_xpulp.h"

/* The mean of each window of bytes in two dimensions, floor(sum / count + 1/2), channel by channel, eight channels at once, on
 * all cores, which share positions and channels alike. The mean is that of the taps on the input or, if `count_pads`, on
 * the padded input; the padding holds zeros. A window without taps gives 0.
 *
 * x [n, in_h, in_w, channels] with steps x_pixel, x_row, x_image in bytes, y [n, out_h, out_w, channels] with its steps. */

#if X_MIN < 0
#define ADD_ASM(d, x, w) ".insn r 0x57, 1, 0x5C, " d ", " x ", " w "\n\t" /* pv.sdotsp.b */
#define ADD(d, x, w) tw_sdotsp_b(d, x, w)
#else
#define ADD_ASM(d, x, w) ".insn r 0x57, 1, 0x50, " d ", " x ", " w "\n\t" /* pv.sdotup.b */
#define ADD(d, x, w) tw_sdotup_b(d, x, w)
#endif

/* s[i] += byte i of `taps` (at least 1) pairs of words, x_step apart: products with words that have a one in one lane. */
TW_ALWAYS_INLINE void take(const uint8_t *x, ptrdiff_t x_step, int32_t taps, uint32_t s[8])
{
#if TW_XPULP
    const uint8_t *p = x, *q = x + 4;
    uint32_t a, b, s0 = s[0], s1 = s[1], s2 = s[2], s3 = s[3], s4 = s[4], s5 = s[5], s6 = s[6], s7 = s[7];
    __asm__ volatile(".balign 4\n\t.option push\n\t.option norvc\n\t"
                     ".insn i 0x7b, 4, x0, %[n], 20\n\t" /* lp.setup 0: 10 instructions */
                     ".insn r 0x0b, 7, 0x10, %[a], %[p], %[step]\n\t" /* p.lw rd, rs2(rs1!) */
                     ".insn r 0x0b, 7, 0x10, %[b], %[q], %[step]\n\t"
                     ADD_ASM("%[s0]", "%[a]", "%[l0]")
                     ADD_ASM("%[s1]", "%[a]", "%[l1]")
                     ADD_ASM("%[s2]", "%[a]", "%[l2]")
                     ADD_ASM("%[s3]", "%[a]", "%[l3]")
                     ADD_ASM("%[s4]", "%[b]", "%[l0]")
                     ADD_ASM("%[s5]", "%[b]", "%[l1]")
                     ADD_ASM("%[s6]", "%[b]", "%[l2]")
                     ADD_ASM("%[s7]", "%[b]", "%[l3]")
                     ".option pop\n\t"
                     : [a] "=&r"(a), [b] "=&r"(b), [p] "+r"(p), [q] "+r"(q), [s0] "+r"(s0), [s1] "+r"(s1), [s2] "+r"(s2),
                       [s3] "+r"(s3), [s4] "+r"(s4), [s5] "+r"(s5), [s6] "+r"(s6), [s7] "+r"(s7)
                     : [n] "r"(taps), [step] "r"(x_step), [l0] "r"(1), [l1] "r"(1 << 8), [l2] "r"(1 << 16),
                       [l3] "r"(1 << 24)
                     : "memory");
    s[0] = s0;
    s[1] = s1;
    s[2] = s2;
    s[3] = s3;
    s[4] = s4;
    s[5] = s5;
    s[6] = s6;
    s[7] = s7;
#else
    for (int32_t i = 0; i < taps; i++, x += x_step) {
        for (int c = 0; c < 8; c++) {
            s[c] = ADD(s[c], tw_load_word(x + c / 4 * 4), UINT32_C(1) << (8 * (c % 4)));
        }
    }
#endif
}

/* floor(sum / count + 1/2) */
TW_ALWAYS_INLINE X_T mean(uint32_t sum, int32_t count)
{
    const int32_t with_half = tw_signed(sum) + (count >> 1), quotient = with_half / count;
    return (X_T)(quotient - (with_half - quotient * count < 0));
}

void TW_KERNEL(const X_T *x, X_T *y, int32_t n, int32_t channels, int32_t in_h, int32_t in_w, int32_t out_h,
               int32_t out_w, int32_t kernel_h, int32_t kernel_w, int32_t stride_h, int32_t stride_w, int32_t dil_h,
               int32_t dil_w, int32_t pad_top, int32_t pad_left, int32_t x_pixel, int32_t x_row, int32_t x_image,
               int32_t y_pixel, int32_t y_row, int32_t y_image, int32_t pad_bottom, int32_t pad_right,
               int count_pads)
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
        const int32_t nh = count_pads ? tw_end_tap(sh, dil_h, kernel_h, in_h + pad_bottom) : h1 - h0;
        const int32_t nw = count_pads ? tw_end_tap(sw, dil_w, kernel_w, in_w + pad_right) : w1 - w0;
        const int32_t taps = nh > 0 && nw > 0 ? nh * nw : 1;
        const uint8_t *px = (const uint8_t *)x + (ptrdiff_t)image * x_image + (ptrdiff_t)(sh + h0 * dil_h) * x_row
            + (ptrdiff_t)(sw + w0 * dil_w) * x_pixel;
        uint8_t *py = (uint8_t *)y + (ptrdiff_t)image * y_image + (ptrdiff_t)oh * y_row + (ptrdiff_t)ow * y_pixel;
        for (; group < groups && item < (int32_t)part.end; group++, item++) {
            const int32_t c = 8 * group, some = channels - c < 8 ? channels - c : 8;
            const uint8_t *row = px + c;
            if (some == 8) {
                uint32_t s[8] = {0, 0, 0, 0, 0, 0, 0, 0};
                for (int32_t kh = h0; kh < h1 && w1 > w0; kh++, row += (ptrdiff_t)dil_h * x_row) {
                    take(row, (ptrdiff_t)dil_w * x_pixel, w1 - w0, s);
                }
                for (int i = 0; i < 8; i++) {
                    py[c + i] = (uint8_t)mean(s[i], taps);
                }
            } else {
                for (int32_t i = 0; i < some; i++, row = px + c + i) {
                    uint32_t s = 0;
                    for (int32_t kh = h0; kh < h1; kh++, row += (ptrdiff_t)dil_h * x_row) {
                        const X_T *tap = (const X_T *)row;
                        for (int32_t kw = w0; kw < w1; kw++, tap += (ptrdiff_t)dil_w * x_pixel) {
                            s += (uint32_t)(int32_t)*tap;
                        }
                    }
                    py[c + i] = (uint8_t)mean(s, taps);
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
