/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_conv_f32_xp
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include "tw_cluster.h"
#include "tw_tile_f32.h"
#include "tw_window.h"

/* Grouped convolution of floats in two dimensions, clipped to lo .. hi, on all cores.
 *
 * x [n, in_h, in_w, group * group_in] with steps x_pixel, x_row, x_image, w [group * group_out, kernel_h, kernel_w,
 * group_in], y [n, out_h, out_w, group * group_out] with its steps, all in elements; bias may be NULL. The input ends at
 * in_h and in_w: the padding behind it is implied. */
void TW_KERNEL(const float *x, const float *w, const float *bias, float *y,
               int32_t n, int32_t in_h, int32_t in_w, int32_t out_h, int32_t out_w,
               int32_t group, int32_t group_in, int32_t group_out, int32_t kernel_h, int32_t kernel_w,
               int32_t stride_h, int32_t stride_w, int32_t dil_h, int32_t dil_w, int32_t pad_top, int32_t pad_left,
               int32_t x_pixel, int32_t x_row, int32_t x_image, int32_t y_pixel, int32_t y_row, int32_t y_image,
               float lo, float hi)
{
    const int32_t group_blocks = (group_out + 3) / 4, reach = (kernel_w - 1) * dil_w + 1;
    const int32_t w_row = kernel_w * group_in, w_out = kernel_h * w_row;
    /* Taps beside each other are one run of memory unless something lies between them. */
    const int joined = x_pixel == group_in && dil_w == 1;
    const ptrdiff_t step = (ptrdiff_t)stride_w * x_pixel;
    /* Columns whose windows lie on the input: inner .. inner_end - 1. */
    int32_t inner = (pad_left + stride_w - 1) / stride_w;
    int32_t inner_end = in_w + pad_left >= reach ? (in_w + pad_left - reach) / stride_w + 1 : 0;
    int32_t quads, parts = 1;
    inner = inner < out_w ? inner : out_w;
    inner_end = inner_end < out_w ? inner_end : out_w;
    inner_end = inner_end > inner ? inner_end : inner;
    quads = (inner_end - inner) / 4;

    /* Items are pieces of rows of images of blocks of groups; rows are cut where that makes the cores' parts more equal: in
     * tiles of four pixels if these suffice for all cores, or else anywhere. */
    const int32_t lines = group * group_blocks * n * out_h, most = lines * quads < tw_core_count() ? out_w : quads;
    while (parts < most && lines * parts % tw_core_count() != 0 && lines * parts < 8 * tw_core_count()) {
        parts++;
    }
    const struct tw_range part = tw_split((size_t)lines * (size_t)parts, 1);
    int32_t item = (int32_t)part.begin;
    const int32_t line = tw_divide(item, parts), rows = tw_divide(line, out_h), images = tw_divide(rows, n);
    int32_t piece = item - line * parts, oh = line - rows * out_h, image = rows - images * n;
    int32_t g = tw_divide(images, group_blocks), block = images - g * group_blocks;
    for (; item < (int32_t)part.end; item++) {
        const int32_t sh = oh * stride_h - pad_top, channel = g * group_out + 4 * block;
        const int32_t h0 = tw_first_tap(sh, dil_h, kernel_h), h1 = tw_end_tap(sh, dil_h, kernel_h, in_h);
        const int32_t count = group_out - 4 * block < 4 ? group_out - 4 * block : 4;
        const float *pw = w + (ptrdiff_t)channel * w_out + (ptrdiff_t)h0 * w_row;
        const float *px = x + (ptrdiff_t)image * x_image + (ptrdiff_t)(sh + h0 * dil_h) * x_row
            + (ptrdiff_t)g * group_in;
        float *py = y + (ptrdiff_t)image * y_image + (ptrdiff_t)oh * y_row + channel;
        int32_t column = 0, end = out_w;
        if (parts > quads) {
            column = out_w * piece / parts;
            end = out_w * (piece + 1) / parts;
        } else if (parts > 1) {
            column = piece == 0 ? 0 : inner + 4 * (quads * piece / parts);
            end = piece + 1 == parts ? out_w : inner + 4 * (quads * (piece + 1) / parts);
        }
        while (column < end) {
            const int32_t sw = column * stride_w - pad_left, inside = column >= inner && column < inner_end;
            const int32_t w0 = inside ? 0 : tw_first_tap(sw, dil_w, kernel_w);
            const int32_t w1 = inside ? kernel_w : tw_end_tap(sw, dil_w, kernel_w, in_w);
            const int32_t left = inside ? (inner_end < end ? inner_end : end) - column : 1;
            const int32_t pixels = left < 4 ? left : 4;
            float acc[16];
            if (h1 > h0 && w1 > w0) {
                const struct tw_terms terms = {
                    h1 - h0, joined ? 1 : w1 - w0, joined ? (w1 - w0) * group_in : group_in,
                    (ptrdiff_t)dil_h * x_row, (ptrdiff_t)dil_w * x_pixel, 1, w_row, group_in, 1};
                tw_terms_tile(&terms, px + (ptrdiff_t)(sw + w0 * dil_w) * x_pixel, step, pw + (ptrdiff_t)w0 * group_in,
                              w_out, pixels, count, acc);
            } else {
                for (int k = 0; k < 4 * pixels; k++) {
                    acc[k] = 0.0f;
                }
            }
            for (int32_t p = 0; p < pixels; p++) {
                float *to = py + (ptrdiff_t)(column + p) * y_pixel;
                for (int32_t j = 0; j < count; j++) {
                    const float v = bias != NULL ? acc[4 * p + j] + bias[channel + j] : acc[4 * p + j];
                    to[j] = tw_clip_f32(v, lo, hi);
                }
            }
            column += pixels;
        }
        if (++piece == parts) {
            piece = 0;
            if (++oh == out_h) {
                oh = 0;
                if (++image == n) {
                    image = 0;
                    if (++block == group_blocks) {
                        block = 0;
                        g++;
                    }
                }
            }
        }
    }
}
