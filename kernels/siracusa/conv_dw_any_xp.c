/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_conv_dw_any_xp
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

/* Depthwise convolution of bytes in two dimensions with any window of up to 128 taps, on all cores: four channels at once,
 * whose bytes are one word of x; four words of four taps are turned into four taps of each channel.
 *
 * x [n, in_h, in_w, channels] with steps x_pixel, x_row, x_image in bytes, channels a multiple of four, w [channels,
 * kernel_h, kernel_w], y [n, out_h, out_w, channels] with steps in elements; bias may be NULL. mul and add have one
 * element (step 0) or one for each channel (step 1); for a result of 32 bits they are NULL and nothing is requantised. */

#define TAPS 128
/* Pixels whose results are stored together: as many as a tile has room for. */
#define WAITING 16

#if Y_BITS == 32
#define RQ NULL
#else
#define RQ (&rq)
#endif

/* acc[j] += taps of channel j, of the words at x + offset for `groups` (at least 1) times four offsets. */
TW_ALWAYS_INLINE void window(const uint8_t *x, const int32_t *offset, const uint32_t *w, int32_t groups,
                             int32_t acc[4])
{
#if TW_XPULP
    uint32_t a, b, c, d, e, f, w0, w1, w2, w3, s0 = (uint32_t)acc[0];
    uint32_t s1 = (uint32_t)acc[1], s2 = (uint32_t)acc[2], s3 = (uint32_t)acc[3];
    __asm__ volatile(".balign 4\n\t.option push\n\t.option norvc\n\t"
                     ".insn i 0x7b, 4, x0, %[n], 52\n\t" /* lp.setup 0: 26 instructions */
                     ".insn i 0x0b, 2, %[a], 4(%[o])\n\t" /* p.lw rd, 4(rs1!) */
                     ".insn i 0x0b, 2, %[b], 4(%[o])\n\t"
                     ".insn i 0x0b, 2, %[c], 4(%[o])\n\t"
                     ".insn i 0x0b, 2, %[d], 4(%[o])\n\t"
                     ".insn r 0x03, 7, 0x10, %[a], %[x], %[a]\n\t" /* p.lw rd, rs2(rs1) */
                     ".insn r 0x03, 7, 0x10, %[b], %[x], %[b]\n\t"
                     ".insn r 0x03, 7, 0x10, %[c], %[x], %[c]\n\t"
                     ".insn r 0x03, 7, 0x10, %[d], %[x], %[d]\n\t"
                     ".insn i 0x0b, 2, %[w0], 4(%[w])\n\t"
                     ".insn i 0x0b, 2, %[w1], 4(%[w])\n\t"
                     ".insn i 0x0b, 2, %[w2], 4(%[w])\n\t"
                     ".insn i 0x0b, 2, %[w3], 4(%[w])\n\t"
                     "mv %[e], %[a]\n\t"
                     "mv %[f], %[c]\n\t"
                     ".insn r 0x57, 1, 0x64, %[e], %[b], %[even]\n\t" /* pv.shuffle2.b */
                     ".insn r 0x57, 1, 0x64, %[a], %[b], %[odd]\n\t"
                     ".insn r 0x57, 1, 0x64, %[f], %[d], %[even]\n\t"
                     ".insn r 0x57, 1, 0x64, %[c], %[d], %[odd]\n\t"
                     ".insn r 0x57, 0, 0x68, %[b], %[f], %[e]\n\t" /* pv.pack.h */
                     ".insn r 0x57, 0, 0x68, %[d], %[c], %[a]\n\t"
                     ".insn r 0x57, 0, 0x64, %[e], %[f], %[high]\n\t" /* pv.shuffle2.h */
                     ".insn r 0x57, 0, 0x64, %[a], %[c], %[high]\n\t"
                     TW_SDOT("%[s0]", "%[b]", "%[w0]")
                     TW_SDOT("%[s1]", "%[d]", "%[w1]")
                     TW_SDOT("%[s2]", "%[e]", "%[w2]")
                     TW_SDOT("%[s3]", "%[a]", "%[w3]")
                     ".option pop\n\t"
                     : [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c), [d] "=&r"(d), [e] "=&r"(e), [f] "=&r"(f),
                       [w0] "=&r"(w0), [w1] "=&r"(w1), [w2] "=&r"(w2), [w3] "=&r"(w3), [s0] "+r"(s0), [s1] "+r"(s1),
                       [s2] "+r"(s2), [s3] "+r"(s3), [o] "+r"(offset), [w] "+r"(w)
                     : [x] "r"(x), [n] "r"(groups), [even] "r"(0x06020400u), [odd] "r"(0x07030501u),
                       [high] "r"(0x00030001u)
                     : "memory");
    acc[0] = tw_signed(s0);
    acc[1] = tw_signed(s1);
    acc[2] = tw_signed(s2);
    acc[3] = tw_signed(s3);
#else
    for (int32_t g = 0; g < groups; g++, offset += 4, w += 4) {
        uint32_t m[4] = {tw_load_word(x + offset[0]), tw_load_word(x + offset[1]), tw_load_word(x + offset[2]),
                         tw_load_word(x + offset[3])};
        tw_transpose_b(m);
        for (int j = 0; j < 4; j++) {
            acc[j] = tw_signed(TW_SDOT((uint32_t)acc[j], m[j], w[j]));
        }
    }
#endif
}

void TW_KERNEL(const X_T *x, const W_T *w, const B_T *bias, Y_T *y,
               int32_t n, int32_t channels, int32_t in_h, int32_t in_w, int32_t out_h, int32_t out_w,
               int32_t kernel_h, int32_t kernel_w, int32_t stride_h, int32_t stride_w, int32_t dil_h, int32_t dil_w,
               int32_t pad_top, int32_t pad_left,
               int32_t x_pixel, int32_t x_row, int32_t x_image, int32_t y_pixel, int32_t y_row, int32_t y_image,
               const int32_t *mul, const int32_t *add, int32_t mul_step, int32_t add_step, int shift,
               int32_t lo, int32_t hi, int fits)
{
    const int32_t taps = kernel_h * kernel_w, groups = (taps + 3) / 4, lines = n * out_h;
    const struct tw_rq rq = tw_rq(mul, add, mul_step, add_step, shift, lo, hi, fits);
    const ptrdiff_t y_step = y_pixel * (ptrdiff_t)sizeof *y;
    struct tw_tile tile;
    struct tw_channels c;
    /* Items are pieces of lines; too few lines for all cores are cut where results are stored anyway. */
    const int32_t pieces = channels / 4 * lines < 2 * tw_core_count() ? (out_w + WAITING - 1) / WAITING : 1;
    const struct tw_range part = tw_split((size_t)(channels / 4) * (size_t)lines * (size_t)pieces, 1);
    const int32_t before = tw_divide((int32_t)part.begin, pieces), planes = tw_divide(before, lines);
    const int32_t images = tw_divide(before - planes * lines, out_h);
    int32_t piece = (int32_t)part.begin - before * pieces, block = planes, image = images;
    int32_t oh = before - planes * lines - images * out_h, now = -1;
    int32_t offset[TAPS], copied[TAPS];
    uint32_t weights[TAPS], taken[TAPS];
    tw_tile_requant(&tile, &rq);
    for (int32_t i = 0; i < 4 * groups; i++) {
        /* Taps that fill the last group have weights of zero; any word will do. */
        const int32_t tap = i < taps ? i : 0, kh = tw_divide(tap, kernel_w);
        offset[i] = kh * dil_h * x_row + (tap - kh * kernel_w) * dil_w * x_pixel;
        copied[i] = 4 * tap;
    }
    for (int32_t item = (int32_t)part.begin; item < (int32_t)part.end; item++) {
        const int32_t first = WAITING * piece, end = pieces > 1 && first + WAITING < out_w ? first + WAITING : out_w;
        const int32_t o = 4 * block, sh = oh * stride_h - pad_top;
        const int32_t h0 = tw_first_tap(sh, dil_h, kernel_h), h1 = tw_end_tap(sh, dil_h, kernel_h, in_h);
        const int full_h = h0 == 0 && h1 == kernel_h;
        const uint8_t *plane = (const uint8_t *)x + (ptrdiff_t)image * x_image + o;
        Y_T *py = y + (ptrdiff_t)image * y_image + (ptrdiff_t)oh * y_row + (ptrdiff_t)first * y_pixel + o;
        if (block != now) {
            tw_pack4(weights, (const uint8_t *)w + (ptrdiff_t)o * taps, taps, taps, 1, 4);
            for (int j = 0; j < 4; j++) {
                c.bias[j] = bias != NULL ? (int32_t)bias[o + j] : 0;
            }
#if Y_BITS != 32
            tw_channels_requant(&c, &rq, o, 4);
#endif
            now = block;
        }
        for (int32_t ow = first, waiting = 0; ow < end; ow++) {
            const int32_t sw = ow * stride_w - pad_left;
            const uint8_t *px = plane + (ptrdiff_t)sh * x_row + (ptrdiff_t)sw * x_pixel;
            int32_t *acc = tile.acc + 4 * waiting;
            for (int j = 0; j < 4; j++) {
                acc[j] = c.bias[j];
            }
            if (full_h && sw >= 0 && sw + (kernel_w - 1) * dil_w < in_w) {
                window(px, offset, weights, groups, acc);
            } else {
                /* The window at a border, with zeros around the image. */
                const int32_t w0 = tw_first_tap(sw, dil_w, kernel_w), w1 = tw_end_tap(sw, dil_w, kernel_w, in_w);
                for (int32_t i = 0; i < taps; i++) {
                    taken[i] = 0;
                }
                for (int32_t kh = h0; kh < h1; kh++) {
                    for (int32_t i = kh * kernel_w + w0; i < kh * kernel_w + w1; i++) {
                        taken[i] = tw_load_word(px + offset[i]);
                    }
                }
                window((const uint8_t *)taken, copied, weights, groups, acc);
            }
            /* Results wait until there are as many as the tile has room for. */
            if (++waiting == WAITING || ow + 1 == end) {
                tw_tile_results(&tile, &c, RQ, o, 4, waiting, py, y_step);
                py += waiting * y_pixel;
                waiting = 0;
            }
        }
        if (++piece == pieces) {
            piece = 0;
            if (++oh == out_h) {
                oh = 0;
                if (++image == n) {
                    image = 0;
                    block++;
                }
            }
        }
    }
}
