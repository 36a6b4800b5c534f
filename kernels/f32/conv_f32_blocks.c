/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_conv_f32_blocks
#define TW_BLOCK_H "tw_block_f32.h"
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include TW_BLOCK_H
#include "tw_window.h"

/* Convolution of floats over height and width, clipped to lo .. hi: windows beside each other that lie on the input as a whole
 * together, a block of channels at a time; TW_BLOCK_H says how many of both.
 *
 * x [n, in_h, in_w, in_c], y [n, out_h, out_w, out_c]; w packed in blocks of channels that take turns; bias may be NULL. */
void TW_KERNEL(const float *x, const float *w, const float *bias, float *y, int32_t n, int32_t in_h, int32_t in_w,
               int32_t in_c, int32_t out_h, int32_t out_w, int32_t out_c, int32_t kernel_h, int32_t kernel_w,
               int32_t stride_h, int32_t stride_w, int32_t dil_h, int32_t pad_top, int32_t pad_left, float lo, float hi)
{
    const int32_t x_row = in_w * in_c, w_row = kernel_w * in_c;
    struct tw_windows windows = {0, 0, 0, 0, stride_w * in_c, out_c, lo, hi};
    for (int32_t b = 0; b < n; b++, x += (ptrdiff_t)in_h * x_row) {
        for (int32_t oh = 0; oh < out_h; oh++) {
            const int32_t sh = oh * stride_h - pad_top;
            const int32_t h0 = tw_first_tap(sh, dil_h, kernel_h), h1 = tw_end_tap(sh, dil_h, kernel_h, in_h);
            for (int32_t ow = 0; ow < out_w;) {
                const int32_t sw = ow * stride_w - pad_left;
                const int32_t w0 = tw_first_tap(sw, 1, kernel_w), w1 = tw_end_tap(sw, 1, kernel_w, in_w);
                const int32_t taps = w1 > w0 && h1 > h0 ? w1 - w0 : 0;
                const float *px = taps > 0 ? x + (sh + h0 * dil_h) * x_row + (sw + w0) * in_c : x;
                const float *pw = taps > 0 ? w + (h0 * w_row + w0 * in_c) * TW_CHANNELS : w;
                int32_t pixels = 1;
                if (taps == kernel_w) {
                    int32_t last = sw + kernel_w - 1 + stride_w;
                    for (; pixels < TW_PIXELS && ow + pixels < out_w && last < in_w; last += stride_w) {
                        pixels++;
                    }
                }
                windows.rows = taps > 0 ? h1 - h0 : 0;
                windows.run = taps * in_c;
                windows.x_skip = dil_h * x_row - windows.run;
                windows.w_skip = (w_row - windows.run) * TW_CHANNELS;
                for (int32_t o = 0; o < out_c; o += TW_CHANNELS, pw += kernel_h * w_row * TW_CHANNELS) {
                    tw_block(px, pixels, pw, bias != NULL ? bias + o : NULL, y + o, out_c - o, &windows);
                }
                y += pixels * out_c;
                ow += pixels;
            }
        }
    }
}
