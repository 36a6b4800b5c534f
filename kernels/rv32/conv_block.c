/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_conv_block
#define X_T int8_t
#define B_T int32_t
#define Y_T int8_t
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include "tw_scale.h"
#include "tw_window.h"

/*
 * Convolution of bytes over height and width, requantised in 32 bits. Two windows are written out in turns, four bytes at a
 * time, and multiplied by four rows of weights at once: an operand that is loaded serves two or four products.
 *
 * x [n, in_h, in_w, in_c], y [n, out_h, out_w, out_c]; w packed in rows4, each row of taps filled to words; bias may be
 * NULL. `columns` has room for two windows. mul and add have one element (step 0) or one for each channel (step 1).
 */

/* acc[j] += the first window * row j, acc[4 + j] += the second. */
static TW_APART void dots_2x4(const X_T *x, const int8_t *w, int32_t words, uint32_t acc[8])
{
    uint32_t a0 = acc[0], a1 = acc[1], a2 = acc[2], a3 = acc[3];
    uint32_t b0 = acc[4], b1 = acc[5], b2 = acc[6], b3 = acc[7];
    for (; words > 0; words--, x += 8, w += 16) {
#define TW_STEP(k) \
    { \
        const int32_t a = x[k], b = x[4 + k], w0 = w[k], w1 = w[4 + k], w2 = w[8 + k], w3 = w[12 + k]; \
        a0 += (uint32_t)(a * w0); \
        a1 += (uint32_t)(a * w1); \
        a2 += (uint32_t)(a * w2); \
        a3 += (uint32_t)(a * w3); \
        b0 += (uint32_t)(b * w0); \
        b1 += (uint32_t)(b * w1); \
        b2 += (uint32_t)(b * w2); \
        b3 += (uint32_t)(b * w3); \
        TW_STEP_ENDS; \
    }
        TW_STEP(0)
        TW_STEP(1)
        TW_STEP(2)
        TW_STEP(3)
#undef TW_STEP
    }
    acc[0] = a0;
    acc[1] = a1;
    acc[2] = a2;
    acc[3] = a3;
    acc[4] = b0;
    acc[5] = b1;
    acc[6] = b2;
    acc[7] = b3;
}

/* All channels of two pixels; for one both are the same, and what the first window gives stays. */
static void pixels(const X_T *columns, const int8_t *w, const B_T *bias, Y_T *y0, Y_T *y1, int32_t words,
                   int32_t out_c, const struct tw_scale *scale)
{
    /* A copy whose address nobody knows stays in registers. */
    const struct tw_scale s = *scale;
    const uint32_t half = UINT32_C(1) << s.shift >> 1;
    const int32_t *mul = s.mul, *add = s.add;
    for (int32_t o = 0; o < out_c; o += 4, w += 16 * words) {
        const int32_t block = out_c - o < 4 ? out_c - o : 4;
        uint32_t acc[8] = {0, 0, 0, 0, 0, 0, 0, 0};
        if (bias != NULL) {
            for (int32_t j = 0; j < block; j++) {
                acc[j] = (uint32_t)bias[o + j];
                acc[4 + j] = acc[j];
            }
        }
        dots_2x4(columns, w, words, acc);
        for (int32_t j = 0; j < block; j++, mul += s.mul_step, add += s.add_step) {
            const int32_t factor = *mul;
            const uint32_t addend = (uint32_t)*add + half;
            y1[o + j] = (Y_T)tw_scaled(&s, acc[4 + j], factor, addend);
            y0[o + j] = (Y_T)tw_scaled(&s, acc[j], factor, addend);
        }
    }
}

/* A row of taps that lies on the input as a whole; what fills it to words is there. */
static X_T *whole_row(X_T *to, const X_T *x, int32_t count)
{
    if (count % 4 == 0 && ((uintptr_t)x & 3) == 0) {
        const uint32_t *from = (const uint32_t *)(const void *)x;
        uint32_t *word = (uint32_t *)(void *)to;
        for (; count > 0; count -= 4, word += 2) {
            *word = *from++;
        }
        return (X_T *)(void *)word;
    }
    for (; count > 3; count -= 4, to += 8, x += 4) {
        to[0] = x[0];
        to[1] = x[1];
        to[2] = x[2];
        to[3] = x[3];
    }
    if (count > 0) {
        to[0] = x[0];
        if (count > 1) {
            to[1] = x[1];
        }
        if (count > 2) {
            to[2] = x[2];
        }
        to += 8;
    }
    return to;
}

/* Another: `before` zeros, `count` bytes of x, zeros up to whole words. */
static X_T *row(X_T *to, const X_T *x, int32_t before, int32_t count, int32_t words)
{
    for (int32_t i = 0; i < 4 * words; i++) {
        to[i & 3] = i >= before && i < before + count ? x[i - before] : 0;
        to += (i & 3) == 3 ? 8 : 0;
    }
    return to;
}

void TW_KERNEL(const X_T *x, const int8_t *w, const B_T *bias, Y_T *y, X_T *columns, int32_t n, int32_t in_h,
               int32_t in_w, int32_t in_c, int32_t out_h, int32_t out_w, int32_t out_c, int32_t kernel_h,
               int32_t kernel_w, int32_t stride_h, int32_t stride_w, int32_t dil_h, int32_t pad_top, int32_t pad_left,
               const int32_t *mul, const int32_t *add, int32_t mul_step, int32_t add_step, int shift, int32_t lo,
               int32_t hi)
{
    const struct tw_scale scale = {mul, add, mul_step, add_step, shift, lo, hi};
    const int32_t run_words = (kernel_w * in_c + 3) / 4, words = kernel_h * run_words;
    const int32_t x_row = in_w * in_c;
    int32_t second = 0;
    for (int32_t i = 0; i < 8 * words; i++) {
        columns[i] = 0;
    }
    for (int32_t b = 0; b < n; b++, x += (ptrdiff_t)in_h * x_row) {
        for (int32_t oh = 0; oh < out_h; oh++) {
            const int32_t sh = oh * stride_h - pad_top;
            for (int32_t ow = 0; ow < out_w; ow++) {
                const int32_t sw = ow * stride_w - pad_left;
                const int32_t w0 = tw_first_tap(sw, 1, kernel_w), w1 = tw_end_tap(sw, 1, kernel_w, in_w);
                const int32_t taps = w1 > w0 ? w1 - w0 : 0;
                X_T *to = columns + 4 * second;
                for (int32_t kh = 0; kh < kernel_h; kh++) {
                    const int32_t ih = sh + kh * dil_h;
                    const int32_t inside = ih >= 0 && ih < in_h && taps > 0;
                    const X_T *px = inside ? x + (ptrdiff_t)ih * x_row + (sw + w0) * in_c : x;
                    to = inside && taps == kernel_w ? whole_row(to, px, kernel_w * in_c)
                                                    : row(to, px, w0 * in_c, inside ? taps * in_c : 0, run_words);
                }
                if (second) {
                    pixels(columns, w, bias, y, y + out_c, words, out_c, &scale);
                    y += 2 * out_c;
                }
                second = !second;
            }
        }
    }
    if (second) {
        pixels(columns, w, bias, y, y, words, out_c, &scale);
    }
}
