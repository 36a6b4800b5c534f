/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_conv_dsp
#define X_T int8_t
#define X_MIN INT8_MIN
#define B_T int32_t
#define Y_T int8_t
#define Y_MIN INT8_MIN
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include "tw_dots.h"
#include "tw_window.h"

/*
 * Convolution of bytes over height and width, requantised in 32 bits. Each window is written out as halfwords, two windows
 * side by side, and multiplied by two rows of weights at a time.
 *
 * x [n, in_h, in_w, in_c], y [n, out_h, out_w, out_c]; w packed in rows4, each row of taps filled to words; bias may be
 * NULL. `columns` has room for two windows. mul and add have one element (step 0) or one for each channel (step 1).
 */

/* All channels of two pixels; for one both are the same, and what the first window gives stays. */
static void pixels(const uint32_t *columns, const uint32_t *w, const B_T *bias, Y_T *y0, Y_T *y1, int32_t words,
                   int32_t out_c, const struct tw_scale *scale)
{
    /* A copy whose address nobody knows stays in registers. */
    const struct tw_scale s = *scale;
    const int32_t *mul = s.mul, *add = s.add;
    for (int32_t o = 0; o < out_c; o += 2) {
        const int32_t other = o + 1 < out_c;
        uint32_t acc[4] = {0, 0, 0, 0};
        if (bias != NULL) {
            acc[0] = (uint32_t)bias[o];
            acc[1] = (uint32_t)bias[o + other];
            acc[2] = acc[0];
            acc[3] = acc[1];
        }
        tw_dots_2x2(columns, w, words, acc);
        w += (o & 2) ? 4 * words - 2 : 2;
        if (other) {
            const int32_t factor = mul[s.mul_step];
            const uint32_t addend = (uint32_t)add[s.add_step] + s.half;
            y1[o + 1] = (Y_T)tw_scaled(&s, acc[3], factor, addend, Y_MIN < 0);
            y0[o + 1] = (Y_T)tw_scaled(&s, acc[1], factor, addend, Y_MIN < 0);
        }
        y1[o] = (Y_T)tw_scaled(&s, acc[2], *mul, (uint32_t)*add + s.half, Y_MIN < 0);
        y0[o] = (Y_T)tw_scaled(&s, acc[0], *mul, (uint32_t)*add + s.half, Y_MIN < 0);
        mul += 2 * s.mul_step;
        add += 2 * s.add_step;
    }
}

/* A row of taps that lies partly outside, byte by byte: taps w0 to w1 of kernel_w are inside. */
static uint32_t *partly(uint32_t *to, const X_T *x, int32_t w0, int32_t w1, int32_t in_c, int32_t run)
{
    for (int32_t i = 0; i < run; i += 4, to += 4) {
        uint32_t v = 0;
        for (int32_t j = 0; j < 4; j++) {
            if (i + j >= w0 * in_c && i + j < w1 * in_c) {
                v |= (uint32_t)(uint8_t)x[i + j] << 8 * j;
            }
        }
        to[0] = tw_even(v, X_MIN < 0);
        to[1] = tw_odd(v, X_MIN < 0);
    }
    return to;
}

void TW_KERNEL(const X_T *x, const int8_t *w, const B_T *bias, Y_T *y, uint32_t *columns, int32_t n, int32_t in_h,
               int32_t in_w, int32_t in_c, int32_t out_h, int32_t out_w, int32_t out_c, int32_t kernel_h,
               int32_t kernel_w, int32_t stride_h, int32_t stride_w, int32_t dil_h, int32_t pad_top, int32_t pad_left,
               const int32_t *mul, const int32_t *add, int32_t mul_step, int32_t add_step, int shift, int32_t lo,
               int32_t hi)
{
    const struct tw_scale scale = {mul, add, mul_step, add_step, shift, lo, hi, UINT32_C(1) << shift >> 1};
    const int32_t run = kernel_w * in_c, run_words = (run + 3) / 4, words = kernel_h * run_words;
    const int32_t x_row = in_w * in_c;
    /* Words are loaded as they were written: by bytes of constants. */
    const uint32_t *rows = (const uint32_t *)(const void *)w;
    int32_t second = 0;
    for (int32_t b = 0; b < n; b++, x += (ptrdiff_t)in_h * x_row) {
        for (int32_t oh = 0; oh < out_h; oh++) {
            const int32_t sh = oh * stride_h - pad_top;
            for (int32_t ow = 0; ow < out_w; ow++) {
                const int32_t sw = ow * stride_w - pad_left;
                const int32_t w0 = tw_first_tap(sw, 1, kernel_w), w1 = tw_end_tap(sw, 1, kernel_w, in_w);
                uint32_t *to = columns + 2 * second;
                for (int32_t kh = 0; kh < kernel_h; kh++) {
                    const int32_t ih = sh + kh * dil_h;
                    const X_T *px = x + (ptrdiff_t)ih * x_row + sw * in_c;
                    if (ih < 0 || ih >= in_h || w0 >= w1) {
                        to = tw_spread_zeros(to, run_words);
                    } else if (w1 - w0 == kernel_w) {
                        to = tw_spread(to, px, run, X_MIN < 0);
                    } else if (in_c % 4 == 0) {
                        to = tw_spread_zeros(to, w0 * in_c / 4);
                        to = tw_spread(to, px + w0 * in_c, (w1 - w0) * in_c, X_MIN < 0);
                        to = tw_spread_zeros(to, (kernel_w - w1) * in_c / 4);
                    } else {
                        to = partly(to, px, w0, w1, in_c, run);
                    }
                }
                if (second) {
                    pixels(columns, rows, bias, y, y + out_c, words, out_c, &scale);
                    y += 2 * out_c;
                }
                second = !second;
            }
        }
    }
    if (second) {
        pixels(columns, rows, bias, y, y, words, out_c, &scale);
    }
}
