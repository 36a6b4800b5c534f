/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_max_pool
#define X_T int8_t
#endif
#ifndef TW_LARGER_H
#define TW_LARGER_H "tw_larger.h"
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include TW_LARGER_H
#include "tw_window.h"

/* The largest element of each window, channel by channel; every window meets the input.
 *
 * x [n, in_d, in_h, in_w, channels], y [n, out_d, out_h, out_w, channels]. */

void TW_KERNEL(const X_T *x, X_T *y, int32_t n, int32_t channels,
               int32_t in_d, int32_t in_h, int32_t in_w, int32_t out_d, int32_t out_h, int32_t out_w,
               int32_t kernel_d, int32_t kernel_h, int32_t kernel_w,
               int32_t stride_d, int32_t stride_h, int32_t stride_w,
               int32_t dil_d, int32_t dil_h, int32_t dil_w,
               int32_t pad_front, int32_t pad_top, int32_t pad_left)
{
    const ptrdiff_t x_row = (ptrdiff_t)in_w * channels, x_plane = in_h * x_row, x_image = in_d * x_plane;

    for (int32_t b = 0; b < n; b++, x += x_image) {
        for (int32_t od = 0; od < out_d; od++) {
            const int32_t sd = od * stride_d - pad_front;
            const int32_t d0 = tw_first_tap(sd, dil_d, kernel_d);
            const int32_t d1 = tw_end_tap(sd, dil_d, kernel_d, in_d);
            for (int32_t oh = 0; oh < out_h; oh++) {
                const int32_t sh = oh * stride_h - pad_top;
                const int32_t h0 = tw_first_tap(sh, dil_h, kernel_h);
                const int32_t h1 = tw_end_tap(sh, dil_h, kernel_h, in_h);
                for (int32_t ow = 0; ow < out_w; ow++, y += channels) {
                    const int32_t sw = ow * stride_w - pad_left;
                    const int32_t w0 = tw_first_tap(sw, dil_w, kernel_w);
                    const int32_t w1 = tw_end_tap(sw, dil_w, kernel_w, in_w);
                    int first = 1;
                    for (int32_t kd = d0; kd < d1; kd++) {
                        for (int32_t kh = h0; kh < h1; kh++) {
                            const X_T *row = x + (sd + kd * dil_d) * x_plane + (sh + kh * dil_h) * x_row;
                            for (int32_t kw = w0; kw < w1; kw++) {
                                TW_LARGER(X_T, row + (sw + kw * dil_w) * (ptrdiff_t)channels, y, channels, first);
                                first = 0;
                            }
                        }
                    }
                }
            }
        }
    }
}
