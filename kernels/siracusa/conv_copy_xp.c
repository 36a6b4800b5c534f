/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_conv_copy_xp
#define X_T int8_t
#define X_MIN INT8_MIN
#define W_T int8_t
#define W_MIN INT8_MIN
#define B_T int32_t
#define Y_T int8_t
#define Y_BITS 8
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#define TW_X_SIGNED (X_MIN < 0)
#define TW_W_SIGNED (W_MIN < 0)
#include "tw_cluster.h"
#include "tw_pack.h"
#include "tw_tile.h"
#include "tw_window.h"

/* Grouped convolution of bytes in two dimensions, on all cores: each core copies the windows of some pixels, padding
 * included, and multiplies them. For the shapes whose rows of taps are not made of whole words, such as first layers.
 *
 * x [n, in_h, in_w, group * group_in] with steps x_pixel, x_row, x_image in bytes, w [group * group_out, kernel_h,
 * kernel_w, group_in] in blocks of four channels (rows4); group is 1 or group_out a multiple of four. y [n, out_h,
 * out_w, group * group_out] with steps in elements; bias may be NULL. mul and add have one element (step 0) or
 * one for each output channel (step 1); for a result of 32 bits they are NULL and nothing is requantised.
 * Each core has `room` bytes of scratch: at least four windows, rounded up to whole words. */

#if Y_BITS == 32
#define RQ NULL
#else
#define RQ (&rq)
#endif

struct window {
    int32_t in_h, in_w, kernel_h, kernel_w, stride_h, stride_w, dil_h, dil_w, pad_top, pad_left, group_in;
    ptrdiff_t x_pixel, x_row;
    int32_t joined; /* Whether taps beside each other are one run of memory. */
};

/* Copies a window whose first row of taps is at x, which has all of them side by side. */
TW_ALWAYS_INLINE void copy_inside(const struct window *win, const uint8_t *x, uint8_t *to)
{
    const ptrdiff_t step = win->dil_h * win->x_row;
    const int32_t run = win->kernel_w * win->group_in;
    for (int32_t kh = win->kernel_h; kh > 0; kh--, x += step) {
        to = tw_copy(to, x, run);
    }
}

/* Copies the window of output (oh, ow) of the image at x. */
TW_NEVER_INLINE void copy_window(const struct window *win, const uint8_t *x, int32_t oh, int32_t ow, uint8_t *to)
{
    const int32_t sh = oh * win->stride_h - win->pad_top, sw = ow * win->stride_w - win->pad_left;
    const int32_t w0 = tw_first_tap(sw, win->dil_w, win->kernel_w);
    const int32_t some = tw_end_tap(sw, win->dil_w, win->kernel_w, win->in_w), w1 = some > w0 ? some : w0;
    const uint8_t *row = x + sh * win->x_row + (sw + w0 * win->dil_w) * win->x_pixel;
    for (int32_t kh = 0, at = sh; kh < win->kernel_h; kh++, at += win->dil_h, row += win->dil_h * win->x_row) {
        if (at < 0 || at >= win->in_h) {
            to = tw_zero(to, win->kernel_w * win->group_in);
            continue;
        }
        to = tw_zero(to, w0 * win->group_in);
        if (win->joined) {
            to = tw_copy(to, row, (w1 - w0) * win->group_in);
        } else {
            for (int32_t kw = w0; kw < w1; kw++) {
                to = tw_copy(to, row + (kw - w0) * win->dil_w * win->x_pixel, win->group_in);
            }
        }
        to = tw_zero(to, (win->kernel_w - w1) * win->group_in);
    }
}

void TW_KERNEL(const X_T *x, const W_T *w, const B_T *bias, Y_T *y,
               int32_t n, int32_t in_h, int32_t in_w, int32_t out_h, int32_t out_w,
               int32_t group, int32_t group_in, int32_t group_out, int32_t kernel_h, int32_t kernel_w,
               int32_t stride_h, int32_t stride_w, int32_t dil_h, int32_t dil_w, int32_t pad_top, int32_t pad_left,
               int32_t x_pixel, int32_t x_row, int32_t x_image, int32_t y_pixel, int32_t y_row, int32_t y_image,
               const int32_t *mul, const int32_t *add, int32_t mul_step, int32_t add_step, int shift,
               int32_t lo, int32_t hi, int fits, void *scratch, int32_t room)
{
    const int32_t taps = kernel_h * kernel_w * group_in, words = (taps + 3) / 4;
    const struct window win = {in_h, in_w, kernel_h, kernel_w, stride_h, stride_w, dil_h, dil_w, pad_top, pad_left,
                               group_in, x_pixel, x_row, group == 1 && dil_w == 1};
    /* Results that lie densely are one line of pixels. */
    const int dense = y_row == out_w * y_pixel && (n == 1 || y_image == out_h * y_row);
    const int32_t width = dense ? n * out_h * out_w : out_w, lines = dense ? 1 : n * out_h;
    const int32_t line_quads = (width + 3) / 4, quads = lines * line_quads, blocks = (group_out + 3) / 4;
    const int32_t most = room / (16 * words);
    /* Where a window that lies on the input may begin. */
    const int32_t last_h = in_h - (kernel_h - 1) * dil_h - 1, last_w = in_w - kernel_w;
    uint8_t *const own = (uint8_t *)scratch + (ptrdiff_t)tw_core_id() * room;
    int32_t parts = 1;
    struct tw_range part;
    struct tw_tile tile;
    struct tw_channels channels;
    struct tw_rq rq = tw_rq(mul, add, mul_step, add_step, shift, lo, hi, fits);

    /* Few pixels: the channels are shared out too. */
    while (parts < blocks && group * quads * parts % tw_core_count() != 0
           && group * quads * parts < 4 * tw_core_count()) {
        parts++;
    }
    rq.reach = tw_reach(taps);
    tw_tile_requant(&tile, &rq);
    tile.words = words;
    tile.runs = 1;
    tile.x_skip = 0;
    tile.w_skip = 0;
    /* Bytes that fill the last words of windows. */
    for (int32_t i = 0; i < 4 * most; i++) {
        tw_zero(own + (ptrdiff_t)i * 4 * words + taps, 4 * words - taps);
    }
    part = tw_split((size_t)group * (size_t)quads * (size_t)parts, 1);
    for (int32_t item = (int32_t)part.begin, some; item < (int32_t)part.end; item += some) {
        const int32_t slice = item / quads, g = slice / parts, piece = slice % parts, first = item % quads;
        uint8_t *to = own;
        some = quads - first < most ? quads - first : most;
        some = (int32_t)part.end - item < some ? (int32_t)part.end - item : some;
        for (int32_t q = first; q < first + some; q++) {
            const int32_t line = q / line_quads, column = 4 * (q % line_quads);
            const int32_t pixel = line * width + column;
            int32_t row = pixel / out_w, ow = pixel - row * out_w;
            for (int32_t p = 0; p < 4; p++, to += 4 * words) {
                const int32_t image = n == 1 ? 0 : row / out_h, oh = row - image * out_h;
                const uint8_t *px = (const uint8_t *)x + (ptrdiff_t)image * x_image + (ptrdiff_t)g * group_in;
                const int32_t sh = oh * stride_h - pad_top, sw = ow * stride_w - pad_left;
                if (win.joined && sh >= 0 && sh <= last_h && sw >= 0 && sw <= last_w) {
                    copy_inside(&win, px + (ptrdiff_t)sh * x_row + (ptrdiff_t)sw * x_pixel, to);
                } else {
                    copy_window(&win, px, oh, ow, to);
                }
                /* Pixels that do not exist repeat the last one; their results are not stored. */
                if (column + p + 1 < width && ++ow == out_w) {
                    ow = 0;
                    row++;
                }
            }
        }
        for (int32_t block = blocks * piece / parts; block < blocks * (piece + 1) / parts; block++) {
            const int32_t channel = g * group_out + 4 * block;
            const int32_t count = group_out - 4 * block < 4 ? group_out - 4 * block : 4;
            const W_T *pw = w + ((ptrdiff_t)g * blocks + block) * 16 * words;
            for (int32_t j = 0; j < 4; j++) {
                channels.bias[j] = bias != NULL && j < count ? (int32_t)bias[channel + j] : 0;
            }
#if Y_BITS != 32
            tw_channels_requant(&channels, &rq, channel, count);
#endif
            for (int32_t q = 0, line = first / line_quads, column = 4 * (first % line_quads); q < some;) {
                /* Whole tiles of a line, then what is left of it. */
                const int32_t full = (width - column) / 4 < some - q ? (width - column) / 4 : some - q;
                const ptrdiff_t y_line = dense ? 0 : line / out_h * (ptrdiff_t)y_image + line % out_h * (ptrdiff_t)y_row;
                const ptrdiff_t y_step = y_pixel * (ptrdiff_t)sizeof *y;
                const uint8_t *px = own + (ptrdiff_t)q * 16 * words;
                Y_T *py = y + y_line + (ptrdiff_t)column * y_pixel + channel;
                if (full > 0) {
                    tw_tile_quads(&tile, &channels, RQ, channel, count, full, px, 4 * words, 4, pw, py, y_step);
                    q += full;
                    column += 4 * full;
                } else {
                    tw_tile_dot4(&tile, channels.bias, px, 4 * words, 4, pw);
                    tw_tile_results(&tile, &channels, RQ, channel, count, width - column, py, y_step);
                    q++;
                    column = width;
                }
                if (column == width) {
                    column = 0;
                    line++;
                }
            }
        }
    }
}
