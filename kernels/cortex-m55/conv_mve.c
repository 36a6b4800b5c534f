/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_conv_mve
#define X_T int8_t
#define X_MIN INT8_MIN
#define B_T int32_t
#define Y_T int8_t
#endif
/* tilewright: end */
#include <arm_mve.h>
#include <stddef.h>
#include <stdint.h>

#include "tw_rows.h"
#include "tw_window.h"

/*
 * Convolution of bytes over height and width, requantised in 32 bits: two windows at a time by four channels. Windows are
 * written out one behind the other, where they do not lie so already. Unsigned bytes become signed ones, which are less by
 * 128; the sums of the weights make up for it.
 *
 * x [n, in_h, in_w, in_c], y [n, out_h, out_w, out_c]; w packed in vectors4; bias may be NULL. `room` holds four multipliers
 * and four addends for each four channels, then two windows. mul and add have one element (step 0) or one for each channel
 * (step 1).
 */

/* Addends take in the bias. */
static void add_bias(int32_t *scale, const B_T *bias, int32_t out_c)
{
    for (int32_t o = 0; o < out_c; o++) {
        int32_t *const at = scale + o / 4 * 8 + o % 4;
        at[4] = (int32_t)((uint32_t)at[4] + (uint32_t)bias[o] * (uint32_t)at[0]);
    }
}

void TW_KERNEL(const X_T *x, const int8_t *w, const B_T *bias, Y_T *y, int32_t *room, int32_t n, int32_t in_h,
               int32_t in_w, int32_t in_c, int32_t out_h, int32_t out_w, int32_t out_c, int32_t kernel_h,
               int32_t kernel_w, int32_t stride_h, int32_t stride_w, int32_t dil_h, int32_t pad_top, int32_t pad_left,
               const int32_t *mul, const int32_t *add, int32_t mul_step, int32_t add_step, int shift, int32_t lo,
               int32_t hi)
{
    const uint8x16_t turn = vdupq_n_u8(X_MIN == 0 ? 0x80 : 0);
    const int32_t run = kernel_w * in_c, columns = kernel_h * run, steps = (columns + 15) / 16;
    const int32_t x_row = in_w * in_c;
    int8_t *const windows = (int8_t *)(room + (out_c + 3) / 4 * 8), *to = windows;
    struct tw_rows rows = {{windows, windows + 16 * steps}, steps, -shift, room + out_c / 4 * 8, {NULL, NULL}, lo, hi};
    int32_t second = 0;
    tw_scales(room, X_MIN == 0 ? w : NULL, steps, out_c, mul, add, mul_step, add_step);
    if (bias != NULL) {
        add_bias(room, bias, out_c);
    }
    if (columns == in_c && stride_h == 1 && stride_w == 1 && out_h == in_h && out_w == in_w) {
        int32_t left = n * out_h * out_w;
        for (; left > 0; left -= 2, x += 2 * in_c, y += 2 * out_c) {
            const int32_t two = left > 1;
            if (in_c % 16 != 0) {
                tw_copy_turned(windows, x, 1, 0, in_c, turn);
                tw_copy_turned(windows + 16 * steps, x + two * in_c, 1, 0, in_c, turn);
            } else {
                if (X_MIN == 0) {
                    tw_copy_turned(windows, x, 1, 0, in_c << two, turn);
                } else {
                    rows.x[0] = (const int8_t *)x;
                }
                rows.x[1] = rows.x[0] + two * in_c;
            }
            tw_two_rows(&rows, w, room, y, y + two * out_c, out_c);
        }
        return;
    }
    for (int32_t b = 0; b < n; b++, x += (ptrdiff_t)in_h * x_row) {
        for (int32_t oh = 0; oh < out_h; oh++) {
            const int32_t sh = oh * stride_h - pad_top;
            const int32_t h0 = tw_first_tap(sh, dil_h, kernel_h), h1 = tw_end_tap(sh, dil_h, kernel_h, in_h);
            const int32_t rows_in = h1 > h0 ? h1 - h0 : 0;
            for (int32_t ow = 0; ow < out_w; ow++) {
                const int32_t sw = ow * stride_w - pad_left;
                const int32_t w0 = tw_first_tap(sw, 1, kernel_w), w1 = tw_end_tap(sw, 1, kernel_w, in_w);
                const X_T *px = x + (ptrdiff_t)(sh + h0 * dil_h) * x_row + sw * in_c;
                to = tw_zeros_turned(to, h0 * run, turn);
                if (w1 - w0 == kernel_w) {
                    to = tw_copy_turned(to, px, rows_in, dil_h * x_row, run, turn);
                } else {
                    for (int32_t kh = 0; kh < rows_in; kh++, px += dil_h * x_row) {
                        const int32_t inside = w1 > w0 ? w1 - w0 : 0;
                        to = tw_zeros_turned(to, w0 * in_c, turn);
                        to = tw_copy_turned(to, px + w0 * in_c, 1, 0, inside * in_c, turn);
                        to = tw_zeros_turned(to, (kernel_w - w0 - inside) * in_c, turn);
                    }
                }
                to = tw_zeros_turned(to, (kernel_h - h0 - rows_in) * run, turn);
                to = windows;
                if (second) {
                    tw_two_rows(&rows, w, room, y, y + out_c, out_c);
                    y += 2 * out_c;
                } else {
                    to += 16 * steps;
                }
                second = !second;
            }
        }
    }
    if (second) {
        rows.x[1] = rows.x[0];
        tw_two_rows(&rows, w, room, y, y, out_c);
    }
}
