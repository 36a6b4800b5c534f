/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_conv_dw_dsp
#define X_T int8_t
#define X_MIN INT8_MIN
#define B_T int32_t
#define Y_T int8_t
#define Y_MIN INT8_MIN
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include "tw_depthwise.h"
#include "tw_window.h"

/*
 * Depthwise convolution of bytes over height and width, requantised in 32 bits: four channels at a time over the whole image.
 * Their weights, and the rows of x below a row of y with its padding, are written out as halfwords, each once.
 *
 * x [n, in_h, in_w, channels], w [channels, kernel_h, kernel_w], y [n, out_h, out_w, channels]; channels is a multiple of
 * four; bias may be NULL. `room` holds the weights, then kernel_h rows of `width` pixels. mul and add have one element
 * (step 0) or one for each channel (step 1).
 */

enum { MOST_ROWS = 16 };

/* Weights of four channels, tap by tap: those of channels 0 and 2, those of 1 and 3. */
static void spread_weights(uint32_t *taps, const int8_t *w, int32_t count)
{
    for (int32_t t = 0; t < count; t++, w++) {
        taps[2 * t] = (uint32_t)(uint16_t)w[0] | (uint32_t)(uint16_t)w[2 * count] << 16;
        taps[2 * t + 1] = (uint32_t)(uint16_t)w[count] | (uint32_t)(uint16_t)w[3 * count] << 16;
    }
}

/* Four channels of a row with its padding. */
static void spread_row(uint32_t *to, const X_T *x, int32_t channels, int32_t before, int32_t inside, int32_t behind)
{
    for (; before > 0; before--, to += 2) {
        to[0] = 0;
        to[1] = 0;
    }
    for (; inside > 0; inside--, to += 2, x += channels) {
        const uint32_t v = tw_word(x);
        to[0] = tw_even(v, X_MIN < 0);
        to[1] = tw_odd(v, X_MIN < 0);
    }
    for (; behind > 0; behind--, to += 2) {
        to[0] = 0;
        to[1] = 0;
    }
}

void TW_KERNEL(const X_T *x, const int8_t *w, const B_T *bias, Y_T *y, uint32_t *room, int32_t n, int32_t channels,
               int32_t in_h, int32_t in_w, int32_t out_h, int32_t out_w, int32_t kernel_h, int32_t kernel_w,
               int32_t stride_h, int32_t stride_w, int32_t pad_top, int32_t pad_left, int32_t width,
               const int32_t *mul, const int32_t *add, int32_t mul_step, int32_t add_step, int shift, int32_t lo,
               int32_t hi)
{
    const struct tw_scale scale = {mul, add, mul_step, add_step, shift, lo, hi, UINT32_C(1) << shift >> 1};
    const int32_t x_row = in_w * channels, count = kernel_h * kernel_w;
    const int32_t inside = width - pad_left < in_w ? width - pad_left : in_w;
    for (int32_t c = 0; c < channels; c += 4) {
        const X_T *image = x + c;
        uint8_t *to = (uint8_t *)y + c;
        struct tw_depthwise d;
        spread_weights(room, w + c * count, count);
        for (int32_t j = 0; j < 4; j++) {
            d.first[j] = bias != NULL ? (uint32_t)bias[c + j] : 0;
            d.mul[j] = mul[(c + j) * mul_step];
            d.add[j] = tw_addend(&scale, c + j);
        }
        d.shift = shift;
        d.x_step = 8 * stride_w;
        d.y_step = channels;
        for (int32_t b = 0; b < n; b++, image += (ptrdiff_t)in_h * x_row) {
            int32_t next = 0;
            for (int32_t oh = 0; oh < out_h; oh++) {
                const uint32_t *rows[MOST_ROWS];
                const int32_t sh = oh * stride_h - pad_top;
                const int32_t h0 = tw_first_tap(sh, 1, kernel_h), h1 = tw_end_tap(sh, 1, kernel_h, in_h);
                d.row_count = 0;
                for (int32_t kh = h0; kh < h1; kh++) {
                    const int32_t ih = sh + kh;
                    uint32_t *row = room + 2 * (count + ih % kernel_h * width);
                    if (ih >= next) {
                        spread_row(row, image + (ptrdiff_t)ih * x_row, channels, pad_left, inside, width - pad_left - inside);
                        next = ih + 1;
                    }
                    rows[d.row_count++] = row;
                }
                d.y = to;
                d.count = out_w;
                d.x_at = 0;
                d.rows = rows;
                d.taps = room + 2 * h0 * kernel_w;
                to += (ptrdiff_t)out_w * channels;
#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)
                if (kernel_w == 3 && d.row_count > 0 && hi - lo == 255) {
                    if (Y_MIN < 0) {
                        tw_depthwise_3_s8(&d);
                    } else {
                        tw_depthwise_3_u8(&d);
                    }
                    continue;
                }
#endif
                tw_depthwise_any(&d, kernel_w, lo, hi);
            }
        }
    }
}
