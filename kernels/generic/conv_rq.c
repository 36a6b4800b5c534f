/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_conv_rq
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

/* Grouped convolution over depth, height and width of integers, requantised.
 *
 * x [n, in_d, in_h, in_w, group * group_in], w [group * group_out, kernel_d, kernel_h, kernel_w, group_in],
 * y [n, out_d, out_h, out_w, group * group_out]; bias may be NULL. Four output channels at a
 * time share the loads of x.
 * mul and add have one element (step 0) or one for each output channel (step 1). */

/* acc[j] += the dot product of `count` elements of x and of the j-th of four (or one) weight rows, `step` apart. */
static inline void dot4(const X_T *x, const W_T *w, ptrdiff_t step, int32_t count, uint32_t acc[4])
{
    const W_T *w1 = w + step, *w2 = w1 + step, *w3 = w2 + step;
    uint32_t a0 = acc[0], a1 = acc[1], a2 = acc[2], a3 = acc[3];
    for (int32_t i = 0; i < count; i++) {
        const uint32_t v = (uint32_t)*x++;
        const uint32_t u0 = (uint32_t)*w++, u1 = (uint32_t)*w1++, u2 = (uint32_t)*w2++, u3 = (uint32_t)*w3++;
        a0 += v * u0;
        a1 += v * u1;
        a2 += v * u2;
        a3 += v * u3;
    }
    acc[0] = a0;
    acc[1] = a1;
    acc[2] = a2;
    acc[3] = a3;
}

static inline void dot1(const X_T *x, const W_T *w, int32_t count, uint32_t acc[1])
{
    uint32_t a0 = acc[0];
    for (int32_t i = 0; i < count; i++) {
        a0 += (uint32_t)*x++ * (uint32_t)*w++;
    }
    acc[0] = a0;
}

void TW_KERNEL(const X_T *x, const W_T *w, const B_T *bias, Y_T *y,
               int32_t n, int32_t group, int32_t group_in, int32_t group_out,
               int32_t in_d, int32_t in_h, int32_t in_w, int32_t out_d, int32_t out_h, int32_t out_w,
               int32_t kernel_d, int32_t kernel_h, int32_t kernel_w,
               int32_t stride_d, int32_t stride_h, int32_t stride_w,
               int32_t dil_d, int32_t dil_h, int32_t dil_w,
               int32_t pad_front, int32_t pad_top, int32_t pad_left,
               const M_T *mul, const D_T *add, int32_t mul_step, int32_t add_step, int shift,
               int32_t lo, int32_t hi)
{
    const ptrdiff_t in_c = (ptrdiff_t)group * group_in;
    const ptrdiff_t x_row = in_w * in_c, x_plane = in_h * x_row, x_image = in_d * x_plane;
    const ptrdiff_t w_row = (ptrdiff_t)kernel_w * group_in, w_plane = kernel_h * w_row, w_out = kernel_d * w_plane;
    /* Taps beside each other are one run of memory unless something lies between them. */
    const int joined = group == 1 && dil_w == 1;

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
                    const int32_t taps = w1 > w0 ? w1 - w0 : 0;
                    const int32_t runs = joined ? taps > 0 : taps;
                    const int32_t d_end = taps > 0 ? d1 : d0;
                    const int32_t run = joined ? taps * group_in : group_in;
                    for (int32_t g = 0; g < group; g++) {
                        const int32_t end = (g + 1) * group_out;
                        int32_t o = g * group_out;
                        while (o < end) {
                            const int32_t block = end - o >= 4 ? 4 : 1;
                            uint32_t acc[4] = {0, 0, 0, 0};
                            if (bias != NULL) {
                                for (int32_t j = 0; j < block; j++) {
                                    acc[j] = (uint32_t)bias[o + j];
                                }
                            }
                            for (int32_t kd = d0; kd < d_end; kd++) {
                                for (int32_t kh = h0; kh < h1; kh++) {
                                    const X_T *px = x + (sd + kd * dil_d) * x_plane + (sh + kh * dil_h) * x_row
                                        + (sw + w0 * dil_w) * in_c + (ptrdiff_t)g * group_in;
                                    const W_T *pw = w + o * w_out + kd * w_plane + kh * w_row
                                        + (ptrdiff_t)w0 * group_in;
                                    for (int32_t r = 0; r < runs; r++) {
                                        if (block == 4) {
                                            dot4(px, pw, w_out, run, acc);
                                        } else {
                                            dot1(px, pw, run, acc);
                                        }
                                        px += dil_w * in_c;
                                        pw += group_in;
                                    }
                                }
                            }
                            for (int32_t j = 0; j < block; j++) {
                                *y++ = (Y_T)TW_REQUANT((int32_t)acc[j], mul[(o + j) * mul_step],
                                                       add[(o + j) * add_step], shift, lo, hi);
                            }
                            o += block;
                        }
                    }
                }
            }
        }
    }
}
