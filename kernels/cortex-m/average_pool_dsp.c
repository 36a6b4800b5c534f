/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_average_pool_dsp
#define X_T int8_t
#define X_MIN INT8_MIN
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include "tw_dsp.h"
#include "tw_window.h"

/* C divides towards zero; the mean is rounded down. */
static inline X_T mean(uint32_t sum, int32_t count)
{
    const int32_t all = (X_MIN < 0 ? (int32_t)(int16_t)(uint16_t)sum : (int32_t)(sum & 0xffffu)) + (count >> 1);
    const int32_t down = all / count;
    return (X_T)(down - (all - down * count < 0));
}

/* The mean of each window of bytes, floor(sum / count + 1/2), four channels at a time, over its taps on the input or, if
 * `count_pads`, on the padded input; the padding holds zeros. A window without taps gives 0. Sums fit 16 bits; channels is a
 * multiple of four.
 *
 * x [n, in_h, in_w, channels], y [n, out_h, out_w, channels]. */
void TW_KERNEL(const X_T *x, X_T *y, int32_t n, int32_t channels, int32_t in_h, int32_t in_w, int32_t out_h,
               int32_t out_w, int32_t kernel_h, int32_t kernel_w, int32_t stride_h, int32_t stride_w, int32_t dil_h,
               int32_t dil_w, int32_t pad_top, int32_t pad_left, int32_t pad_bottom, int32_t pad_right, int count_pads)
{
    const int32_t x_row = in_w * channels, step = dil_w * channels;
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
                const int32_t count = nh > 0 && nw > 0 ? nh * nw : 1;
                for (int32_t c = 0; c < channels; c += 4) {
                    uint32_t even = 0, odd = 0;
                    for (int32_t kh = h0; kh < h1; kh++) {
                        const X_T *px = x + (sh + kh * dil_h) * x_row + (sw + w0 * dil_w) * channels + c;
                        for (int32_t kw = w1 - w0; kw > 0; kw--, px += step) {
                            const uint32_t v = tw_word(px);
                            even = tw_add_even(even, v, X_MIN < 0);
                            odd = tw_add_odd(odd, v, X_MIN < 0);
                        }
                    }
                    y[c] = mean(even, count);
                    y[c + 1] = mean(odd, count);
                    y[c + 2] = mean(even >> 16, count);
                    y[c + 3] = mean(odd >> 16, count);
                }
            }
        }
    }
}
