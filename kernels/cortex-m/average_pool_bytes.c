/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_average_pool_bytes
#define X_T int8_t
#define X_MIN INT8_MIN
#define TW_MEANS_H "tw_means_dsp.h"
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include TW_MEANS_H
#include "tw_window.h"

/* The mean of each window of bytes, floor(sum / count + 1/2), over its taps on the input or, if `count_pads`, on the padded
 * input; the padding holds zeros. A window without taps gives 0. Sums fit 16 bits; TW_MEANS_H has the window's own loops.
 *
 * x [n, in_h, in_w, channels], y [n, out_h, out_w, channels]. */
void TW_KERNEL(const X_T *x, X_T *y, int32_t n, int32_t channels, int32_t in_h, int32_t in_w, int32_t out_h,
               int32_t out_w, int32_t kernel_h, int32_t kernel_w, int32_t stride_h, int32_t stride_w, int32_t dil_h,
               int32_t dil_w, int32_t pad_top, int32_t pad_left, int32_t pad_bottom, int32_t pad_right, int count_pads)
{
    const int32_t x_row = in_w * channels;
    for (int32_t b = 0; b < n; b++, x += (ptrdiff_t)in_h * x_row) {
        for (int32_t oh = 0; oh < out_h; oh++) {
            const int32_t sh = oh * stride_h - pad_top;
            const int32_t h0 = tw_first_tap(sh, dil_h, kernel_h);
            const int32_t h1 = tw_end_tap(sh, dil_h, kernel_h, in_h);
            const int32_t nh = count_pads ? tw_end_tap(sh, dil_h, kernel_h, in_h + pad_bottom) : h1 - h0;
            for (int32_t ow = 0; ow < out_w; ow++, y += channels) {
                const int32_t sw = ow * stride_w - pad_left;
                const int32_t w0 = tw_first_tap(sw, dil_w, kernel_w);
                const int32_t w1 = tw_end_tap(sw, dil_w, kernel_w, in_w);
                const int32_t nw = count_pads ? tw_end_tap(sw, dil_w, kernel_w, in_w + pad_right) : w1 - w0;
                const int taps = h1 > h0 && w1 > w0;
                const X_T *first = taps ? x + (sh + h0 * dil_h) * x_row + (sw + w0 * dil_w) * channels : x;
                tw_means(first, y, channels, taps ? h1 - h0 : 0, w1 - w0, dil_h * x_row, dil_w * channels,
                         nh > 0 && nw > 0 ? nh * nw : 1, X_MIN < 0);
            }
        }
    }
}
