/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_conv_dw_rq
#define TW_REQUANT tw_requant
#define X_T int8_t
#define W_T int8_t
#define B_T int32_t
#define M_T int32_t
#define D_T int32_t
#define Y_T int8_t
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include "tw_requant.h"
#include "tw_window.h"

/* Depthwise convolution over depth, height and width of integers, requantised.
 *
 * x [n, in_d, in_h, in_w, channels], w [channels * multiplier, kernel_d, kernel_h, kernel_w],
 * y [n, out_d, out_h, out_w, channels * multiplier]; bias may be NULL.
 * mul and add have one element (step 0) or one for each output channel (step 1). */

void TW_KERNEL(const X_T *x, const W_T *w, const B_T *bias, Y_T *y,
               int32_t n, int32_t channels, int32_t multiplier,
               int32_t in_d, int32_t in_h, int32_t in_w, int32_t out_d, int32_t out_h, int32_t out_w,
               int32_t kernel_d, int32_t kernel_h, int32_t kernel_w,
               int32_t stride_d, int32_t stride_h, int32_t stride_w,
               int32_t dil_d, int32_t dil_h, int32_t dil_w,
               int32_t pad_front, int32_t pad_top, int32_t pad_left,
               const M_T *mul, const D_T *add, int32_t mul_step, int32_t add_step, int shift,
               int32_t lo, int32_t hi)
{
    const ptrdiff_t x_row = (ptrdiff_t)in_w * channels, x_plane = in_h * x_row, x_image = in_d * x_plane;
    const ptrdiff_t x_tap = (ptrdiff_t)dil_w * channels;
    const ptrdiff_t w_plane = (ptrdiff_t)kernel_h * kernel_w, w_out = kernel_d * w_plane;

    for (int32_t b = 0; b < n; b++, x += x_image) {
        for (int32_t od = 0; od < out_d; od++) {
            const int32_t sd = od * stride_d - pad_front;
            const int32_t d0 = tw_first_tap(sd, dil_d, kernel_d);
            const int32_t d1 = tw_end_tap(sd, dil_d, kernel_d, in_d);
            for (int32_t oh = 0; oh < out_h; oh++) {
                const int32_t sh = oh * stride_h - pad_top;
                const int32_t h0 = tw_first_tap(sh, dil_h, kernel_h);
                const int32_t h1 = tw_end_tap(sh, dil_h, kernel_h, in_h);
                for (int32_t ow = 0; ow < out_w; ow++) {
                    const int32_t sw = ow * stride_w - pad_left;
                    const int32_t w0 = tw_first_tap(sw, dil_w, kernel_w);
                    const int32_t w1 = tw_end_tap(sw, dil_w, kernel_w, in_w);
                    const int32_t d_end = w1 > w0 ? d1 : d0;
                    const ptrdiff_t corner = (sw + w0 * dil_w) * (ptrdiff_t)channels;
                    int32_t o = 0;
                    for (int32_t c = 0; c < channels; c++) {
                        for (int32_t m = 0; m < multiplier; m++, o++) {
                            uint32_t acc = bias != NULL ? (uint32_t)bias[o] : 0;
                            for (int32_t kd = d0; kd < d_end; kd++) {
                                for (int32_t kh = h0; kh < h1; kh++) {
                                    const X_T *px = x + (sd + kd * dil_d) * x_plane + (sh + kh * dil_h) * x_row
                                        + corner + c;
                                    const W_T *pw = w + o * w_out + kd * w_plane + (ptrdiff_t)kh * kernel_w;
                                    for (int32_t kw = w0; kw < w1; kw++) {
                                        acc += (uint32_t)*px * (uint32_t)pw[kw];
                                        px += x_tap;
                                    }
                                }
                            }
                            *y++ = (Y_T)TW_REQUANT((int32_t)acc, mul[o * mul_step], add[o * add_step],
                                                    shift, lo, hi);
                        }
                    }
                }
            }
        }
    }
}
