/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_conv_transpose_int
#define X_T int8_t
#define W_T int8_t
#define B_T int32_t
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include "tw_window.h"

/* Transposed convolution of integers over depth, height and width: every element of x adds its products with the taps
 * to y.
 *
 * x [n, in_d, in_h, in_w, group * group_in], w [group * group_in, kernel_d, kernel_h, kernel_w, group_out],
 * y [n, out_d, out_h, out_w, group * group_out]; bias may be NULL. Accumulators wrap at 32 bits. */

/* y += the row x [rows] times w, whose rows of `columns` elements are `step` apart. */
static inline void add_row(const X_T *x, const W_T *w, int32_t *y, int32_t rows, int32_t columns, ptrdiff_t step)
{
    for (int32_t i = 0; i < rows; i++, w += step) {
        const uint32_t v = (uint32_t)x[i];
        for (int32_t o = 0; o < columns; o++) {
            const uint32_t u = (uint32_t)w[o];
            y[o] = (int32_t)((uint32_t)y[o] + v * u);
        }
    }
}

void TW_KERNEL(const X_T *x, const W_T *w, const B_T *bias, int32_t *y,
               int32_t n, int32_t group, int32_t group_in, int32_t group_out,
               int32_t in_d, int32_t in_h, int32_t in_w, int32_t out_d, int32_t out_h, int32_t out_w,
               int32_t kernel_d, int32_t kernel_h, int32_t kernel_w,
               int32_t stride_d, int32_t stride_h, int32_t stride_w,
               int32_t dil_d, int32_t dil_h, int32_t dil_w,
               int32_t pad_front, int32_t pad_top, int32_t pad_left)
{
    const ptrdiff_t in_c = (ptrdiff_t)group * group_in, out_c = (ptrdiff_t)group * group_out;
    const ptrdiff_t y_row = out_w * out_c, y_plane = out_h * y_row, y_image = out_d * y_plane;
    const ptrdiff_t w_row = (ptrdiff_t)kernel_w * group_out, w_plane = kernel_h * w_row, w_in = kernel_d * w_plane;

    for (int32_t b = 0; b < n; b++, y += y_image) {
        for (ptrdiff_t i = 0; i < y_image; i += out_c) {
            for (ptrdiff_t o = 0; o < out_c; o++) {
                y[i + o] = bias != NULL ? (int32_t)bias[o] : 0;
            }
        }
        for (int32_t id = 0; id < in_d; id++) {
            const int32_t sd = id * stride_d - pad_front;
            const int32_t d0 = tw_first_tap(sd, dil_d, kernel_d);
            const int32_t d1 = tw_end_tap(sd, dil_d, kernel_d, out_d);
            for (int32_t ih = 0; ih < in_h; ih++) {
                const int32_t sh = ih * stride_h - pad_top;
                const int32_t h0 = tw_first_tap(sh, dil_h, kernel_h);
                const int32_t h1 = tw_end_tap(sh, dil_h, kernel_h, out_h);
                for (int32_t iw = 0; iw < in_w; iw++, x += in_c) {
                    const int32_t sw = iw * stride_w - pad_left;
                    const int32_t w0 = tw_first_tap(sw, dil_w, kernel_w);
                    const int32_t w1 = tw_end_tap(sw, dil_w, kernel_w, out_w);
                    for (int32_t kd = d0; kd < d1; kd++) {
                        for (int32_t kh = h0; kh < h1; kh++) {
                            int32_t *row = y + (sd + kd * dil_d) * y_plane + (sh + kh * dil_h) * y_row;
                            for (int32_t kw = w0; kw < w1; kw++) {
                                int32_t *py = row + (sw + kw * dil_w) * out_c;
                                const W_T *pw = w + kd * w_plane + kh * w_row + (ptrdiff_t)kw * group_out;
                                for (int32_t g = 0; g < group; g++) {
                                    add_row(x + (ptrdiff_t)g * group_in, pw + g * group_in * w_in,
                                            py + (ptrdiff_t)g * group_out, group_in, group_out, w_in);
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
