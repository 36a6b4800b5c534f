/*
 * Tiles over lines of pixels whose windows all have the same taps: the loop of convolutions without borders. The header's
 * user says by TW_B_T and TW_Y_T what biases and results are.
 */
#ifndef TW_LINES_H
#define TW_LINES_H

#include "tw_cluster.h"
#include "tw_tile.h"

/*
 * `lines` of `width` pixels, shared by all cores: the first pixel's window is at x, those of a line are x_step bytes apart,
 * lines x_line; tile->words, runs, x_skip and w_skip say how to walk through one. Blocks of four of the out_c channels have
 * weights w_block bytes apart; results lie densely. Without rq they are accumulators.
 */
static inline void tw_lines(struct tw_tile *tile, const struct tw_rq *rq, const void *x, int32_t x_line, int32_t x_step,
                            const void *w, int32_t w_block, const TW_B_T *bias, TW_Y_T *y, int32_t lines, int32_t width,
                            int32_t out_c)
{
    const int32_t blocks = (out_c + 3) / 4, quads = (width + 3) / 4;
    const ptrdiff_t y_step = out_c * (ptrdiff_t)sizeof *y;
    const struct tw_range part = tw_split((size_t)blocks * (size_t)lines * (size_t)quads, 1);
    const int32_t before = tw_divide((int32_t)part.begin, quads);
    int32_t block = tw_divide(before, lines), line = before - block * lines, quad = (int32_t)part.begin - before * quads;
    int32_t count = 0, here;
    struct tw_channels channels;

    for (int32_t left = (int32_t)(part.end - part.begin); left > 0; left -= here) {
        const int32_t column = 4 * quad;
        const uint8_t *px = (const uint8_t *)x + line * x_line, *pw = (const uint8_t *)w + block * w_block;
        TW_Y_T *py = y + (ptrdiff_t)line * width * out_c + 4 * block;
        here = quads - quad < left ? quads - quad : left;
        if (count == 0) {
            count = out_c - 4 * block < 4 ? out_c - 4 * block : 4;
            for (int32_t j = 0; j < 4; j++) {
                channels.bias[j] = bias != NULL && j < count ? (int32_t)bias[4 * block + j] : 0;
            }
            if (rq != NULL) {
                tw_channels_requant(&channels, rq, 4 * block, count);
            }
        }
        /* Tiles that lie side by side; a last one that lacks pixels begins earlier, over own ones, if there are any. */
        const int32_t whole = column + 4 * here > width ? here - 1 : here;
        if (whole > 0) {
            tw_tile_quads(tile, &channels, rq, 4 * block, count, whole, px + column * x_step, x_step, 4, pw,
                          py + column * out_c, y_step);
        }
        if (whole < here) {
            const int32_t pixels = whole > 0 ? 4 : width - column, from = width - pixels;
            px += from * x_step;
            py += from * out_c;
            if (pixels == 4) {
                tw_tile_quads(tile, &channels, rq, 4 * block, count, 1, px, x_step, 4, pw, py, y_step);
            } else {
                tw_tile_rest(tile, &channels, rq, 4 * block, count, pixels, px, x_step, pw, py, y_step);
            }
        }
        quad = 0;
        if (++line == lines) {
            line = 0;
            block++;
            count = 0;
        }
    }
}

#endif
