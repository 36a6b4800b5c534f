/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_average_pool_f32
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include "tw_window.h"

/* The mean of each window, channel by channel, over its taps on the input or, if `count_pads`, on the
 * padded input; the padding holds zeros. A window without taps gives 0.
 *
 * x [n, in_d, in_h, in_w, channels], y [n, out_d, out_h, out_w, channels]. */
void TW_KERNEL(const float *x, float *y, int32_t n, int32_t channels,
               int32_t in_d, int32_t in_h, int32_t in_w, int32_t out_d, int32_t out_h, int32_t out_w,
               int32_t kernel_d, int32_t kernel_h, int32_t kernel_w,
               int32_t stride_d, int32_t stride_h, int32_t stride_w,
               int32_t dil_d, int32_t dil_h, int32_t dil_w,
               int32_t pad_front, int32_t pad_top, int32_t pad_left,
               int32_t pad_back, int32_t pad_bottom, int32_t pad_right, int count_pads)
{
    const ptrdiff_t x_row = (ptrdiff_t)in_w * channels, x_plane = in_h * x_row, x_image = in_d * x_plane;

    for (int32_t b = 0; b < n; b++, x += x_image) {
        for (int32_t od = 0; od < out_d; od++) {
            const int32_t sd = od * stride_d - pad_front;
            const int32_t d0 = tw_first_tap(sd, dil_d, kernel_d);
            const int32_t d1 = tw_end_tap(sd, dil_d, kernel_d, in_d);
            const int32_t nd = count_pads ? tw_end_tap(sd, dil_d, kernel_d, in_d + pad_back) : d1 - d0;
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
                    const float share = nd > 0 && nh > 0 && nw > 0 ? 1.0f / ((float)nd * (float)nh * (float)nw) : 0.0f;
                    for (int32_t c = 0; c < channels; c++) {
                        y[c] = 0.0f;
                    }
                    for (int32_t kd = d0; kd < d1; kd++) {
                        for (int32_t kh = h0; kh < h1; kh++) {
                            const float *row = x + (sd + kd * dil_d) * x_plane + (sh + kh * dil_h) * x_row;
                            for (int32_t kw = w0; kw < w1; kw++) {
                                const float *px = row + (sw + kw * dil_w) * (ptrdiff_t)channels;
                                for (int32_t c = 0; c < channels; c++) {
                                    y[c] += px[c];
                                }
                            }
                        }
                    }
                    for (int32_t c = 0; c < channels; c++) {
                        y[c] *= share;
                    }
                }
            }
        }
    }
}
