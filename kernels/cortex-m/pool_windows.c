/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_pool_windows
#define X_T int8_t
#define TW_POOL_H "tw_means_dsp.h"
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include TW_POOL_H
#include "tw_window.h"

/* The taps of a window that lie on the input along one axis, and how many count. */
struct taps {
    int32_t first;
    int32_t end;
    int32_t count;
};

static struct taps taps_of(int32_t start, int32_t dilation, int32_t taps, int32_t size, int32_t pad_end, int count_pads)
{
    struct taps t;
    t.first = tw_first_tap(start, dilation, taps);
    t.end = tw_end_tap(start, dilation, taps, size);
    t.count = count_pads ? tw_end_tap(start, dilation, taps, size + pad_end) : t.end - t.first;
    return t;
}

/* What TW_POOL_H makes of each window, the mean or the largest element, over its taps on the input or, if `count_pads`, on the
 * padded input; the padding holds zeros.
 *
 * x [n, in_h, in_w, channels], y [n, out_h, out_w, channels]. */
void TW_KERNEL(const X_T *x, X_T *y, int32_t n, int32_t channels, int32_t in_h, int32_t in_w, int32_t out_h,
               int32_t out_w, int32_t kernel_h, int32_t kernel_w, int32_t stride_h, int32_t stride_w, int32_t dil_h,
               int32_t dil_w, int32_t pad_top, int32_t pad_left, int32_t pad_bottom, int32_t pad_right, int count_pads)
{
    const int32_t x_row = in_w * channels, x_right = in_w - (kernel_w - 1) * dil_w;
    const struct tw_count whole = tw_count_of(kernel_h * kernel_w, (X_T)-1 < 0);
    struct tw_window window = {channels, kernel_h, kernel_w, dil_h * x_row, dil_w * channels, stride_w * channels};
    for (int32_t b = 0; b < n; b++, x += (ptrdiff_t)in_h * x_row) {
        for (int32_t oh = 0; oh < out_h; oh++) {
            const int32_t sh = oh * stride_h - pad_top;
            const struct taps h = taps_of(sh, dil_h, kernel_h, in_h, pad_bottom, count_pads);
            for (int32_t ow = 0; ow < out_w;) {
                const int32_t sw = ow * stride_w - pad_left, first = sh * x_row + sw * channels;
                int32_t pixels = 1;
                if (h.end - h.first == kernel_h && sw >= 0 && sw < x_right) {
                    for (int32_t next = sw + stride_w; next < x_right && ow + pixels < out_w; next += stride_w) {
                        pixels++;
                    }
                    window.rows = kernel_h;
                    window.columns = kernel_w;
                    tw_pool(x + first, y, pixels, &window, &whole, (X_T)-1 < 0);
                } else {
                    const struct taps w = taps_of(sw, dil_w, kernel_w, in_w, pad_right, count_pads);
                    const int32_t count = h.count > 0 && w.count > 0 ? h.count * w.count : 1;
                    const struct tw_count part = tw_count_of(count, (X_T)-1 < 0);
                    const int any = h.end > h.first && w.end > w.first;
                    window.rows = any ? h.end - h.first : 0;
                    window.columns = w.end - w.first;
                    tw_pool(x + (any ? first + h.first * window.row_step + w.first * window.step : 0), y, 1, &window, &part,
                             (X_T)-1 < 0);
                }
                ow += pixels;
                y += pixels * channels;
            }
        }
    }
}
