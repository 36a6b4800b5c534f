/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_average_pool_mve
#define X_T int8_t
#define X_MIN INT8_MIN
#endif
/* tilewright: end */
#include <arm_mve.h>
#include <stddef.h>
#include <stdint.h>

#include "tw_window.h"

/* sum += the pixels of a row of taps, eight channels of each, `step` bytes from one to the next. */
#define PIXELS(s)                                                                                                     \
    __asm__("vmsr p0, %[p]\n"                                                                                         \
            "dls lr, %[n]\n"                                                                                          \
            "1: vpst\n"                                                                                               \
            "vldrbt." s "16 %q[v], [%[x]]\n"                                                                          \
            "add %[x], %[x], %[step]\n"                                                                               \
            "vadd.i16 %q[sum], %q[sum], %q[v]\n"                                                                      \
            "le lr, 1b\n"                                                                                             \
            : [sum] "+w"(sum), [v] "=&w"(v), [x] "+l"(px)                                                             \
            : [n] "r"(w1 - w0), [step] "r"(step), [p] "r"((uint32_t)p)                                                \
            : "lr", "memory", "cc")

/* The mean of each window of bytes, floor(sum / count + 1/2), eight channels at a time, over its taps on the input or, if
 * `count_pads`, on the padded input; the padding holds zeros. A window without taps gives 0. Sums fit 16 bits.
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
                for (int32_t c = 0; c < channels; c += 8) {
                    const mve_pred16_t p = vctp16q((uint32_t)(channels - c));
                    int16x8_t sum = vdupq_n_s16(0), v;
                    int16_t sums[8];
                    if (w1 > w0) {
                        for (int32_t kh = h0; kh < h1; kh++) {
                            const X_T *px = x + (sh + kh * dil_h) * x_row + (sw + w0 * dil_w) * channels + c;
                            if (X_MIN < 0) {
                                PIXELS("s");
                            } else {
                                PIXELS("u");
                            }
                        }
                    }
                    vstrhq_s16(sums, sum);
                    for (int32_t j = 0; j < 8 && c + j < channels; j++) {
                        /* C divides towards zero; the mean is rounded down. */
                        const int32_t all = sums[j] + (count >> 1), mean = all / count;
                        y[c + j] = (X_T)(mean - (all - mean * count < 0));
                    }
                }
            }
        }
    }
}
