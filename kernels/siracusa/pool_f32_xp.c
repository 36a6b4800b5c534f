/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_pool_f32_xp
#define TW_MEAN 0
#endif
/* tilewright: end */
#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "tw_cluster.h"
#include "tw_floats.h"
#include "tw_window.h"

/* The largest float of each window in two dimensions, or where TW_MEAN is 1 the mean, channel by channel, four channels at
 * once, on all cores, which share positions and channels alike. Means are those of the taps on the input or, if
 * `count_pads`, on the padded input; the padding holds zeros. A window without taps has the mean 0.
 *
 * x [n, in_h, in_w, channels], y [n, out_h, out_w, channels]. */

#if TW_MEAN
#define START 0.0f
#define TAKE(a, b) ((a) + (b))
#else
#define START (-INFINITY)
#define TAKE(a, b) tw_fmax(a, b)
#endif

/* A window of kernel_h by kernel_w taps from x on, of `some` (1 to 4) channels, times `share`. */
TW_ALWAYS_INLINE void window(const float *x, ptrdiff_t x_tap, ptrdiff_t x_row, int32_t kernel_h, int32_t kernel_w,
                             float *y, int32_t some, float share)
{
    if (some == 4) {
        float a = START, b = START, c = START, d = START;
        for (; kernel_h > 0; kernel_h--, x += x_row) {
            const float *p = x;
            for (int32_t kw = kernel_w; kw > 0; kw--, p += x_tap) {
                const float e = p[0], f = p[1], g = p[2], h = p[3];
                a = TAKE(a, e);
                b = TAKE(b, f);
                c = TAKE(c, g);
                d = TAKE(d, h);
            }
        }
        y[0] = a * share;
        y[1] = b * share;
        y[2] = c * share;
        y[3] = d * share;
    } else {
        for (int32_t i = 0; i < some; i++) {
            float a = START;
            for (int32_t kh = 0; kh < kernel_h; kh++) {
                for (int32_t kw = 0; kw < kernel_w; kw++) {
                    a = TAKE(a, x[kh * x_row + kw * x_tap + i]);
                }
            }
            y[i] = a * share;
        }
    }
}

void TW_KERNEL(const float *x, float *y, int32_t n, int32_t channels, int32_t in_h, int32_t in_w, int32_t out_h,
               int32_t out_w, int32_t kernel_h, int32_t kernel_w, int32_t stride_h, int32_t stride_w, int32_t dil_h,
               int32_t dil_w, int32_t pad_top, int32_t pad_left, int32_t pad_bottom, int32_t pad_right, int count_pads)
{
    const int32_t groups = (channels + 3) / 4;
    const ptrdiff_t x_row = (ptrdiff_t)in_w * channels;
    const struct tw_range part = tw_split((size_t)n * (size_t)out_h * (size_t)out_w * (size_t)groups, 1);
    int32_t left = (int32_t)part.end - (int32_t)part.begin;
    const int32_t position = tw_divide((int32_t)part.begin, groups), line = tw_divide(position, out_w);
    int32_t image = tw_divide(line, out_h), oh = line - image * out_h, ow = position - line * out_w;
    int32_t group = (int32_t)part.begin - position * groups;
    y += (ptrdiff_t)position * channels;
    for (; left > 0; y += channels, group = 0) {
        const int32_t sh = oh * stride_h - pad_top, sw = ow * stride_w - pad_left;
        const int32_t h0 = tw_first_tap(sh, dil_h, kernel_h), h1 = tw_end_tap(sh, dil_h, kernel_h, in_h);
        const int32_t w0 = tw_first_tap(sw, dil_w, kernel_w), w1 = tw_end_tap(sw, dil_w, kernel_w, in_w);
        const float *px = x + (ptrdiff_t)image * in_h * x_row + (sh + h0 * dil_h) * x_row
            + (ptrdiff_t)(sw + w0 * dil_w) * channels;
        float share = 1.0f;
        if (TW_MEAN) {
            const int32_t nh = count_pads ? tw_end_tap(sh, dil_h, kernel_h, in_h + pad_bottom) : h1 - h0;
            const int32_t nw = count_pads ? tw_end_tap(sw, dil_w, kernel_w, in_w + pad_right) : w1 - w0;
            share = nh > 0 && nw > 0 ? 1.0f / ((float)nh * (float)nw) : 0.0f;
        }
        for (; group < groups && left > 0; group++, left--) {
            const int32_t c = 4 * group;
            window(px + c, (ptrdiff_t)dil_w * channels, dil_h * x_row, h1 - h0, w1 - w0, y + c,
                   channels - c < 4 ? channels - c : 4, share);
        }
        if (++ow == out_w) {
            ow = 0;
            if (++oh == out_h) {
                oh = 0;
                image++;
            }
        }
    }
}
