/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_conv_dw_f32_xp
#endif
/* tilewright: end */
#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "tw_cluster.h"
#include "tw_window.h"
#include "tw_xpulp.h"

/* Depthwise convolution of floats in two dimensions, on all cores, clipped to lo .. hi.
 *
 * x [n, in_h, in_w, channels], w [channels * multiplier, kernel_h, kernel_w], y [n, out_h, out_w, channels * multiplier]; bias
 * may be NULL. Three by three taps with stride 1 have a path of their own, which loads each column of the input once. */

struct line {
    ptrdiff_t x_row, x_tap, x_pixel; /* steps between rows, columns of the window, windows */
    ptrdiff_t y_pixel;
    int32_t kernel_w;
    float bias, lo, hi;
};

TW_ALWAYS_INLINE float clipped(float v, float lo, float hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

/* One output: `rows` by `columns` taps. */
TW_ALWAYS_INLINE void one(const struct line *l, const float *x, const float *w, float *y, int32_t rows, int32_t columns)
{
    float acc = l->bias;
    for (; rows > 0; rows--, x += l->x_row, w += l->kernel_w) {
        const float *p = x;
        for (int32_t i = 0; i < columns; i++, p += l->x_tap) {
            acc = fmaf(*p, w[i], acc);
        }
    }
    *y = clipped(acc, l->lo, l->hi);
}

/* acc + three taps of a column. */
#define COLUMN(acc, v, i) fmaf(v##2, w[6 + (i)], fmaf(v##1, w[3 + (i)], fmaf(v##0, w[i], acc)))
#define LOAD(v)                                                                                                       \
    v##0 = *p;                                                                                                        \
    v##1 = *q;                                                                                                        \
    v##2 = *r;                                                                                                        \
    p += step;                                                                                                        \
    q += step;                                                                                                        \
    r += step
#define STORE(u, v, t)                                                                                                \
    *y = clipped(COLUMN(COLUMN(COLUMN(bias, u, 0), v, 1), t, 2), lo, hi);                                             \
    y += y_step

/* `count` outputs of three by three taps beside each other. */
TW_NEVER_INLINE void three(const struct line *l, const float *x, const float *taps, float *y, int32_t count)
{
    const ptrdiff_t step = l->x_tap, y_step = l->y_pixel;
    const float *p = x, *q = p + l->x_row, *r = q + l->x_row;
    const float bias = l->bias, lo = l->lo, hi = l->hi;
    float w[9], a0, a1, a2, b0, b1, b2, c0, c1, c2;
    for (int i = 0; i < 9; i++) {
        w[i] = taps[i];
    }
    LOAD(a);
    LOAD(b);
    for (; count >= 3; count -= 3) {
        LOAD(c);
        STORE(a, b, c);
        LOAD(a);
        STORE(b, c, a);
        LOAD(b);
        STORE(c, a, b);
    }
    if (count > 0) {
        LOAD(c);
        STORE(a, b, c);
    }
    if (count > 1) {
        LOAD(a);
        STORE(b, c, a);
    }
}

void TW_KERNEL(const float *x, const float *w, const float *bias, float *y, int32_t n, int32_t channels,
               int32_t multiplier, int32_t in_h, int32_t in_w, int32_t out_h, int32_t out_w, int32_t kernel_h,
               int32_t kernel_w, int32_t stride_h, int32_t stride_w, int32_t dil_h, int32_t dil_w, int32_t pad_top,
               int32_t pad_left, float lo, float hi)
{
    const int32_t out_c = channels * multiplier;
    const ptrdiff_t row = (ptrdiff_t)in_w * channels;
    struct line l = {dil_h * row, (ptrdiff_t)dil_w * channels, (ptrdiff_t)stride_w * channels, out_c, kernel_w, 0.0f, lo, hi};
    /* Items are rows of images of channels. */
    const struct tw_range part = tw_split((size_t)out_c * (size_t)n * (size_t)out_h, 1);
    int32_t left = (int32_t)part.end - (int32_t)part.begin, images = tw_divide((int32_t)part.begin, out_h);
    int32_t oh = (int32_t)part.begin - images * out_h, o = tw_divide(images, n), image = images - o * n;
    /* Columns whose windows lie on the input: inner .. inner_end - 1. */
    int32_t inner = tw_divide(pad_left + stride_w - 1, stride_w);
    const int32_t room = in_w + pad_left - (kernel_w - 1) * dil_w - 1;
    int32_t inner_end = room >= 0 ? tw_divide(room, stride_w) + 1 : 0;
    inner_end = inner_end < out_w ? inner_end : out_w;
    inner = inner < inner_end ? inner : inner_end;
    for (; left > 0; left--) {
        const int32_t sh = oh * stride_h - pad_top;
        const int32_t h0 = tw_first_tap(sh, dil_h, kernel_h), h1 = tw_end_tap(sh, dil_h, kernel_h, in_h);
        const float *px = x + ((ptrdiff_t)image * in_h + sh + h0 * dil_h) * row + tw_divide(o, multiplier);
        const float *pw = w + ((ptrdiff_t)o * kernel_h + h0) * kernel_w;
        float *py = y + ((ptrdiff_t)image * out_h + oh) * out_w * out_c + o;
        l.bias = bias != NULL ? bias[o] : 0.0f;
        for (int32_t ow = 0; ow < out_w; ow++) {
            const int32_t sw = ow * stride_w - pad_left;
            if (ow == inner && h1 - h0 == 3 && kernel_w == 3 && stride_w == 1 && dil_w == 1 && inner < inner_end) {
                three(&l, px + (ptrdiff_t)sw * channels, pw, py + (ptrdiff_t)ow * out_c, inner_end - inner);
                ow = inner_end - 1;
            } else {
                const int32_t w0 = tw_first_tap(sw, dil_w, kernel_w), w1 = tw_end_tap(sw, dil_w, kernel_w, in_w);
                one(&l, px + (ptrdiff_t)(sw + w0 * dil_w) * channels, pw + w0, py + (ptrdiff_t)ow * out_c, h1 - h0, w1 - w0);
            }
        }
        if (++oh == out_h) {
            oh = 0;
            if (++image == n) {
                image = 0;
                o++;
            }
        }
    }
}
