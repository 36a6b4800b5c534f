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

struct job {
    struct tw_tile tile;
    struct tw_channels channels;
    struct tw_rq rq;
    int32_t first; /* channel of the block */
    int32_t count; /* channels of the block, 1 to 4 */
    ptrdiff_t y_pixel;
};

/* The results of one tile. */
static inline void finish(const struct job *job, int pixels, Y_T *y)
{
#if Y_BITS == 32
    tw_store_each(&job->tile, job->count, pixels, (uint8_t *)y, job->y_pixel * 4);
#else
    if (job->channels.narrow && job->count == 4) {
        tw_tile_finish(&job->tile, &job->channels, pixels, y, job->y_pixel);
    } else {
        tw_finish_each(&job->tile, &job->channels, &job->rq, job->first, job->count, pixels, (uint8_t *)y,
                       job->y_pixel);
    }
#endif
}

static void next_block(struct job *job, const B_T *bias, int32_t first, int32_t count)
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

void TW_KERNEL(const X_T *x, const W_T *w, const B_T *bias, Y_T *y,
               int32_t n, int32_t in_h, int32_t in_w, int32_t out_h, int32_t out_w,
               int32_t group, int32_t group_in, int32_t group_out, int32_t kernel_h, int32_t kernel_w,
               int32_t stride_h, int32_t stride_w, int32_t dil_h, int32_t pad_top, int32_t pad_left,
               int32_t x_pixel, int32_t x_row, int32_t x_image, int32_t y_pixel, int32_t y_row, int32_t y_image,
               const int32_t *mul, const int32_t *add, int32_t mul_step, int32_t add_step, int shift,
               int32_t lo, int32_t hi)
{
    const int32_t group_blocks = (group_out + 3) / 4, blocks = group * group_blocks;
    const int32_t run = kernel_w * group_in;
    const int32_t rows = n * out_h;
    /* Columns whose windows lie on the input: inner .. inner_end - 1. */
    int32_t inner = (pad_left + stride_w - 1) / stride_w;
    int32_t inner_end = in_w + pad_left >= kernel_w ? (in_w + pad_left - kernel_w) / stride_w + 1 : 0;
    int32_t quads, parts = 1, block_now = -1;
    struct tw_range part;
    struct job job;

    inner = inner < out_w ? inner : out_w;
    inner_end = inner_end < out_w ? inner_end : out_w;
    inner_end = inner_end > inner ? inner_end : inner;
    quads = (inner_end - inner) / 4;
    /* Rows are cut where that makes the cores' parts more equal. */
    while (parts < quads && blocks * rows * parts % tw_core_count() != 0 && blocks * rows * parts < 8 * tw_core_count()) {
        parts++;
    }
    job.y_pixel = y_pixel;
    job.rq.mul = mul;
    job.rq.add = add;
    job.rq.mul_step = mul_step;
    job.rq.add_step = add_step;
    job.rq.shift = shift;
    job.rq.lo = lo;
    job.rq.hi = hi;
    tw_tile_requant(&job.tile, &job.rq);

    part = tw_split((size_t)blocks * (size_t)rows * (size_t)parts, 1);
    for (int32_t item = (int32_t)part.begin; item < (int32_t)part.end; item++) {
        const int32_t line = item / parts, block = line / rows, row = line % rows;
        const int32_t image = row / out_h, oh = row % out_h, piece = item % parts;
        const int32_t sh = oh * stride_h - pad_top;
        const int32_t h0 = tw_first_tap(sh, dil_h, kernel_h), h1 = tw_end_tap(sh, dil_h, kernel_h, in_h);
        const int32_t g = block / group_blocks, in_group = block % group_blocks;
        const W_T *w_block = w + (ptrdiff_t)block * kernel_h * run * 4 + (ptrdiff_t)h0 * run * 4;
        const int32_t start = piece == 0 ? 0 : inner + 4 * (quads * piece / parts);
        const int32_t end = piece + 1 == parts ? out_w : inner + 4 * (quads * (piece + 1) / parts);
        const X_T *x_line = x + (ptrdiff_t)image * x_image + (ptrdiff_t)(sh + h0 * dil_h) * x_row
            - (ptrdiff_t)pad_left * x_pixel + (ptrdiff_t)g * group_in;
        Y_T *y_line = y + (ptrdiff_t)image * y_image + (ptrdiff_t)oh * y_row + (ptrdiff_t)g * group_out
            + (ptrdiff_t)in_group * 4;
        int32_t column = start;

        if (block != block_now) {
            const int32_t left = group_out - in_group * 4;
            next_block(&job, bias, g * group_out + in_group * 4, left < 4 ? left : 4);
            block_now = block;
        }
        job.tile.runs = h1 - h0;
        while (column < end) {
            const X_T *px = x_line + (ptrdiff_t)column * stride_w * x_pixel;
            Y_T *py = y_line + (ptrdiff_t)column * y_pixel;
            const int32_t sw = column * stride_w - pad_left;
            if (h1 > h0 && column >= inner && column < inner_end) {
                const int32_t full = (inner_end < end ? inner_end : end) - column;
                const ptrdiff_t step = (ptrdiff_t)stride_w * x_pixel;
                job.tile.words = run / 4;
                job.tile.x_skip = dil_h * x_row - run;
                job.tile.w_skip = 0;
                for (int32_t i = full / 4; i > 0; i--, px += 4 * step, py += 4 * y_pixel) {
                    tw_tile_dot4(&job.tile, &job.channels, px, step, 4, w_block);
                    finish(&job, 4, py);
                }
                if ((full & 2) != 0) {
                    tw_tile_dot2(&job.tile, &job.channels, px, step, 4, w_block);
                    finish(&job, 2, py);
                    px += 2 * step;
                    py += 2 * y_pixel;
                }
                if ((full & 1) != 0) {
                    tw_tile_dot1(&job.tile, &job.channels, px, w_block);
                    finish(&job, 1, py);
                }
                column += full;
            } else {
                const int32_t w0 = tw_first_tap(sw, 1, kernel_w), w1 = tw_end_tap(sw, 1, kernel_w, in_w);
                if (h1 > h0 && w1 > w0) {
                    job.tile.words = (w1 - w0) * group_in / 4;
                    job.tile.x_skip = dil_h * x_row - (w1 - w0) * group_in;
                    job.tile.w_skip = 4 * (run - (w1 - w0) * group_in);
                    tw_tile_dot1(&job.tile, &job.channels, px + (ptrdiff_t)w0 * x_pixel,
                                 w_block + (ptrdiff_t)w0 * group_in * 4);
                } else {
                    for (int32_t j = 0; j < 4; j++) {
                        job.tile.acc[j] = job.channels.bias[j];
                    }
                }
                finish(&job, 1, py);
                column++;
            }
        }
    }
}
