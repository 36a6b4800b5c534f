/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_conv_xp
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
#include "tw_tile.h"
#include "tw_window.h"

/* Grouped convolution of bytes in two dimensions, on all cores, without copying its input: the taps of a row of the
 * window lie in one run of memory, and borders have fewer of them.
 *
 * x [n, in_h, in_w, group * group_in] with steps x_pixel, x_row, x_image in bytes; group_in is a multiple of four, and
 * group or kernel_w is 1. w [group * group_out, kernel_h, kernel_w, group_in] in blocks of four channels (rows4);
 * group is 1 or group_out a multiple of four. y [n, out_h, out_w, group * group_out] with steps in elements. bias may
 * be NULL. mul and add have one element (step 0) or one for each output channel (step 1); for a result of 32 bits
 * they are NULL and nothing is requantised. The input ends at in_h and in_w: the padding behind it is implied. */

#if Y_BITS == 32
#define RQ(job) NULL
#else
#define RQ(job) (&(job)->rq)
#endif

struct job {
    struct tw_tile tile;
    struct tw_channels channels;
    struct tw_rq rq;
    int32_t first; /* channel of the block */
    int32_t count; /* channels of the block, 1 to 4 */
};

TW_NEVER_INLINE void next_block(struct job *job, const B_T *bias, int32_t first, int32_t count)
{
    job->first = first;
    job->count = count;
    for (int32_t j = 0; j < 4; j++) {
        job->channels.bias[j] = bias != NULL && j < count ? (int32_t)bias[first + j] : 0;
    }
#if Y_BITS != 32
    tw_channels_requant(&job->channels, &job->rq, first, count);
#endif
}

/* The convolution of one group of one image. */
struct window {
    int32_t in_h, in_w, kernel_h, kernel_w, stride_h, stride_w, dil_h, pad_top, pad_left, group_in, x_pixel, x_row;
    ptrdiff_t y_pixel, y_row;
};

/* `count` pixels with the same taps, x_step bytes apart, their results y_step elements. */
TW_NEVER_INLINE void pixels(struct job *job, const X_T *x, const W_T *w, Y_T *y, int32_t count, ptrdiff_t x_step,
                            ptrdiff_t y_step)
{
    const ptrdiff_t bytes = y_step * (ptrdiff_t)sizeof *y;
    if (count >= 4) {
        tw_tile_quads(&job->tile, &job->channels, RQ(job), job->first, job->count, count / 4, x, x_step, 4, w, y, bytes);
    }
    if ((count & 3) != 0) {
        tw_tile_rest(&job->tile, &job->channels, RQ(job), job->first, job->count, count & 3, x + (count & ~3) * x_step,
                     x_step, w, y + (count & ~3) * y_step, bytes);
    }
}

/* Rows oh .. end - 1 of columns from ow on: `wide` pixels of each, which have all taps along the width, or one. */
TW_NEVER_INLINE void columns(struct job *job, const struct window *win, const X_T *x, const W_T *w, Y_T *y, int32_t oh,
                          int32_t end, int32_t ow, int32_t wide)
{
    const int32_t sw = ow * win->stride_w - win->pad_left, reach = (win->kernel_h - 1) * win->dil_h;
    const int32_t w0 = tw_first_tap(sw, 1, win->kernel_w), w1 = tw_end_tap(sw, 1, win->kernel_w, win->in_w);
    const int32_t run = (w1 - w0) * win->group_in, x_step = win->dil_h * win->x_row;
    job->tile.words = run / 4;
    job->tile.x_skip = x_step - run;
    job->tile.w_skip = 4 * (win->kernel_w * win->group_in - run);
    x += (ptrdiff_t)(sw + w0) * win->x_pixel;
    w += (ptrdiff_t)w0 * win->group_in * 4;
    y += (ptrdiff_t)ow * win->y_pixel;
    for (int32_t count = 1; oh < end; oh += count) {
        const int32_t sh = oh * win->stride_h - win->pad_top;
        const int32_t h0 = tw_first_tap(sh, win->dil_h, win->kernel_h);
        const int32_t h1 = tw_end_tap(sh, win->dil_h, win->kernel_h, win->in_h);
        const X_T *px = x + (ptrdiff_t)(sh + h0 * win->dil_h) * win->x_row;
        const W_T *pw = w + (ptrdiff_t)h0 * win->kernel_w * win->group_in * 4;
        Y_T *py = y + oh * win->y_row;
        job->tile.runs = h1 - h0;
        count = 1;
        if (run <= 0 || h1 <= h0) {
            for (int32_t j = 0; j < 4; j++) {
                job->tile.acc[j] = job->channels.bias[j];
            }
            for (int32_t i = 0; i < wide; i++, py += win->y_pixel) {
                tw_tile_one_by_one(&job->tile, &job->channels, RQ(job), job->first, job->count, 1, py,
                                   win->y_pixel * (ptrdiff_t)sizeof *y);
            }
        } else if (wide > 1) {
            pixels(job, px, pw, py, wide, (ptrdiff_t)win->stride_w * win->x_pixel, win->y_pixel);
        } else {
            /* One below the other, as long as their windows lie on the input. */
            while (h0 == 0 && oh + count < end && sh + count * win->stride_h + reach < win->in_h) {
                count++;
            }
            pixels(job, px, pw, py, count, (ptrdiff_t)win->stride_h * win->x_row, win->y_row);
        }
    }
}

void TW_KERNEL(const X_T *x, const W_T *w, const B_T *bias, Y_T *y,
               int32_t n, int32_t in_h, int32_t in_w, int32_t out_h, int32_t out_w,
               int32_t group, int32_t group_in, int32_t group_out, int32_t kernel_h, int32_t kernel_w,
               int32_t stride_h, int32_t stride_w, int32_t dil_h, int32_t pad_top, int32_t pad_left,
               int32_t x_pixel, int32_t x_row, int32_t x_image, int32_t y_pixel, int32_t y_row, int32_t y_image,
               const int32_t *mul, const int32_t *add, int32_t mul_step, int32_t add_step, int shift,
               int32_t lo, int32_t hi, int fits)
{
    const int32_t group_blocks = (group_out + 3) / 4, lines = group * group_blocks * n * out_h;
    const struct window win = {in_h, in_w, kernel_h, kernel_w, stride_h, stride_w, dil_h, pad_top, pad_left, group_in,
                               x_pixel, x_row, y_pixel, y_row};
    /* Columns whose windows lie on the input: inner .. inner_end - 1. */
    int32_t inner = (pad_left + stride_w - 1) / stride_w;
    int32_t inner_end = in_w + pad_left >= kernel_w ? (in_w + pad_left - kernel_w) / stride_w + 1 : 0;
    int32_t quads, parts = 1;
    struct job job;

    inner = inner < out_w ? inner : out_w;
    inner_end = inner_end < out_w ? inner_end : out_w;
    inner_end = inner_end > inner ? inner_end : inner;
    quads = (inner_end - inner) / 4;
    /* Rows are cut where that makes the cores' parts more equal. */
    while (parts < quads && lines * parts % tw_core_count() != 0 && lines * parts < 8 * tw_core_count()) {
        parts++;
    }
    job.rq = tw_rq(mul, add, mul_step, add_step, shift, lo, hi, fits);
    job.rq.reach = tw_reach(kernel_h * kernel_w * group_in);
    tw_tile_requant(&job.tile, &job.rq);

    /* Items are pieces of rows of images of blocks of groups. */
    const struct tw_range part = tw_split((size_t)lines * (size_t)parts, 1);
    int32_t item = (int32_t)part.begin;
    const int32_t line = tw_divide(item, parts), rows = tw_divide(line, out_h), images = tw_divide(rows, n);
    int32_t piece = item - line * parts, oh = line - rows * out_h, image = rows - images * n;
    int32_t g = tw_divide(images, group_blocks), block = images - g * group_blocks, block_now = -1;
    for (int32_t many; item < (int32_t)part.end; item += many) {
        const int32_t left = (int32_t)part.end - item, channel = g * group_out + 4 * block;
        const W_T *pw = w + (ptrdiff_t)(g * group_blocks + block) * kernel_h * kernel_w * group_in * 4;
        const X_T *px = x + (ptrdiff_t)image * x_image + (ptrdiff_t)g * group_in;
        Y_T *py = y + (ptrdiff_t)image * y_image + channel;
        /* Rows at once: beside each other's pixels that are left over, pixels below each other make tiles. */
        many = parts > 1 ? 1 : left < out_h - oh ? left : out_h - oh;
        const int32_t end = oh + many, wide = many > 1 ? 4 * quads : inner_end - inner;
        const int32_t begin = piece == 0 ? 0 : inner + 4 * (quads * piece / parts);
        const int32_t from = piece == 0 ? inner : begin;
        const int32_t to = piece + 1 == parts ? inner + wide : inner + 4 * (quads * (piece + 1) / parts);
        const int32_t stop = piece + 1 == parts ? out_w : to;

        if (channel != block_now) {
            const int32_t rest = group_out - 4 * block;
            next_block(&job, bias, channel, rest < 4 ? rest : 4);
            block_now = channel;
        }
        if (to > from) {
            columns(&job, &win, px, pw, py, oh, end, from, to - from);
        }
        for (int32_t ow = begin; ow < stop; ow++) {
            if (ow == from && to > from) {
                ow = to - 1;
            } else {
                columns(&job, &win, px, pw, py, oh, end, ow, 1);
            }
        }
        oh = end;
        if (++piece < parts) {
            oh = end - 1;
        } else {
            piece = 0;
            if (oh == out_h) {
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
