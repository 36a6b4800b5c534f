/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_conv_dw_block
#define X_T int8_t
#define B_T int32_t
#define Y_T int8_t
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tw_scale.h"

/*
 * Depthwise convolution of bytes over height and width, requantised in 32 bits: one channel at a time over the whole image. The
 * rows of x below a row of y are written out with their padding, each once; the weights of a window of 3x3 stay in registers.
 *
 * x [n, in_h, in_w, channels], w [channels, kernel_h, kernel_w], y [n, out_h, out_w, channels]; bias may be NULL. `room` holds
 * kernel_h rows of `width` pixels, and one of zeros. mul and add have one element (step 0) or one for each channel (step 1).
 */

enum { MOST_ROWS = 16 };

/* One row of results by windows of 3x3. */
static TW_APART void windows_3x3(const X_T *const *rows, const int8_t *w, uint32_t first, Y_T *y, int32_t count,
                                 int32_t x_step, int32_t y_step, int32_t mul, uint32_t add, const struct tw_scale *s)
{
    const X_T *p = rows[0], *q = rows[1], *r = rows[2];
    const int32_t w0 = w[0], w1 = w[1], w2 = w[2], w3 = w[3], w4 = w[4], w5 = w[5], w6 = w[6], w7 = w[7], w8 = w[8];
    for (; count > 0; count--, p += x_step, q += x_step, r += x_step, y += y_step) {
        uint32_t acc = first + (uint32_t)(p[0] * w0) + (uint32_t)(p[1] * w1) + (uint32_t)(p[2] * w2);
        acc += (uint32_t)(q[0] * w3) + (uint32_t)(q[1] * w4) + (uint32_t)(q[2] * w5);
        acc += (uint32_t)(r[0] * w6) + (uint32_t)(r[1] * w7) + (uint32_t)(r[2] * w8);
        *y = (Y_T)tw_scaled(s, acc, mul, add);
    }
}

void TW_KERNEL(const X_T *x, const int8_t *w, const B_T *bias, Y_T *y, X_T *room, int32_t n, int32_t channels,
               int32_t in_h, int32_t in_w, int32_t out_h, int32_t out_w, int32_t kernel_h, int32_t kernel_w,
               int32_t stride_h, int32_t stride_w, int32_t pad_top, int32_t pad_left, int32_t width,
               const int32_t *mul, const int32_t *add, int32_t mul_step, int32_t add_step, int shift, int32_t lo,
               int32_t hi)
{
    const struct tw_scale scale = {mul, add, mul_step, add_step, shift, lo, hi};
    const int32_t x_row = in_w * channels;
    const int32_t inside = width - pad_left < in_w ? width - pad_left : in_w;
    /* Padding stays what it is: only the inside of a row is written again. */
    memset(room, 0, (size_t)((kernel_h + 1) * width) * sizeof *room);
    for (int32_t c = 0; c < channels; c++, w += kernel_h * kernel_w) {
        const X_T *image = x + c;
        Y_T *to = y + c;
        const uint32_t first = bias != NULL ? (uint32_t)bias[c] : 0, addend = tw_addend(&scale, c);
        const int32_t factor = mul[c * mul_step];
        for (int32_t b = 0; b < n; b++, image += (ptrdiff_t)in_h * x_row) {
            int32_t next = 0;
            for (int32_t oh = 0; oh < out_h; oh++, to += (ptrdiff_t)out_w * channels) {
                const X_T *rows[MOST_ROWS];
                for (int32_t kh = 0; kh < kernel_h; kh++) {
                    const int32_t ih = oh * stride_h - pad_top + kh;
                    X_T *row = room + kernel_h * width;
                    if (ih >= 0 && ih < in_h) {
                        row = room + ih % kernel_h * width;
                        if (ih >= next) {
                            const X_T *px = image + (ptrdiff_t)ih * x_row;
                            for (int32_t i = 0; i < inside; i++, px += channels) {
                                row[pad_left + i] = *px;
                            }
                            next = ih + 1;
                        }
                    }
                    rows[kh] = row;
                }
                if (kernel_h == 3 && kernel_w == 3) {
                    windows_3x3(rows, w, first, to, out_w, stride_w, channels, factor, addend, &scale);
                    continue;
                }
                for (int32_t ow = 0; ow < out_w; ow++) {
                    uint32_t acc = first;
                    for (int32_t kh = 0; kh < kernel_h; kh++) {
                        const X_T *px = rows[kh] + ow * stride_w;
                        for (int32_t kw = 0; kw < kernel_w; kw++) {
                            acc += (uint32_t)(px[kw] * w[kh * kernel_w + kw]);
                        }
                    }
                    to[(ptrdiff_t)ow * channels] = (Y_T)tw_scaled(&scale, acc, factor, addend);
                }
            }
        }
    }
}
