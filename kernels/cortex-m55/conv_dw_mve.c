/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_conv_dw_mve
#define X_T int8_t
#define X_MIN INT8_MIN
#define B_T int32_t
#define Y_T int8_t
#endif
/* tilewright: end */
#include <arm_mve.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tw_channels.h"

/*
 * Depthwise convolution of bytes over height and width, requantised in 32 bits: eight channels at a time over the whole
 * image. The rows of x below a row of y are written out with their padding, each once.
 *
 * x [n, in_h, in_w, channels], y [n, out_h, out_w, channels]; w packed in columns8; bias may be NULL. `room` holds a row of
 * zeros, then kernel_h rows, of `width` pixels each. mul and add have one element (step 0) or one for each channel (step 1).
 */

enum { MOST_ROWS = 16 };

/* A row of results of other windows. */
static __attribute__((noinline)) void row_any(const struct tw_channels *c, const X_T *const *rows, int32_t kernel_h,
                                              int32_t kernel_w)
{
    const int16x8_t lo = vdupq_n_s16((int16_t)c->lo), hi = vdupq_n_s16((int16_t)c->hi);
    int8_t *y = c->y;
    for (int32_t i = 0; i < c->count; i++, y += c->y_step) {
        int32x4_t even = vdupq_n_s32(0), odd = even;
        int16x8_t v = lo;
        const int8_t *taps = c->w;
        for (int32_t kh = 0; kh < kernel_h; kh++) {
            const X_T *x = rows[kh] + i * c->x_step;
            for (int32_t kw = kernel_w; kw > 0; kw--, x += 8, taps += 8) {
                const int16x8_t w = vldrbq_s16(taps);
                v = X_MIN == 0 ? vreinterpretq_s16_u16(vldrbq_u16((const uint8_t *)x)) : vldrbq_s16((const int8_t *)x);
                even = vaddq_s32(even, vmullbq_int_s16(v, w));
                odd = vaddq_s32(odd, vmulltq_int_s16(v, w));
            }
        }
        even = vrshlq_n_s32(vaddq_s32(vmulq_s32(even, vldrwq_s32(c->mul)), vldrwq_s32(c->add)), c->left);
        odd = vrshlq_n_s32(vaddq_s32(vmulq_s32(odd, vldrwq_s32(c->mul + 4)), vldrwq_s32(c->add + 4)), c->left);
        v = vqmovntq_s32(vqmovnbq_s32(v, even), odd);
        vstrbq_p_s16(y, vminq_s16(vmaxq_s16(v, lo), hi), (mve_pred16_t)c->channels);
    }
}

void TW_KERNEL(const X_T *x, const int8_t *w, const B_T *bias, Y_T *y, X_T *room, int32_t n, int32_t channels,
               int32_t in_h, int32_t in_w, int32_t out_h, int32_t out_w, int32_t kernel_h, int32_t kernel_w,
               int32_t stride_h, int32_t stride_w, int32_t pad_top, int32_t pad_left, int32_t width,
               const int32_t *mul, const int32_t *add, int32_t mul_step, int32_t add_step, int shift, int32_t lo,
               int32_t hi)
{
    const int32_t x_row = in_w * channels, count = kernel_h * kernel_w;
    const int32_t inside = width - pad_left < in_w ? width - pad_left : in_w;
    struct tw_channels d = {{NULL, NULL, NULL}, w, NULL, 8 * stride_w, channels, -shift, 0, out_w, lo, hi, {0}, {0}};
    /* The padding stays as it is. */
    memset(room, 0, (size_t)(8 * (kernel_h + 1) * width));
    for (int32_t c = 0; c < channels; c += 8, d.w += 8 * count) {
        const X_T *image = x + c;
        Y_T *to = y + c;
        d.channels = vctp16q((uint32_t)(channels - c));
        for (int32_t j = 0; j < 8; j++) {
            const int32_t o = c + j < channels ? c + j : c, at = (j & 1) * 4 + j / 2;
            const uint32_t first = bias != NULL ? (uint32_t)bias[o] : 0;
            d.mul[at] = mul[o * mul_step];
            d.add[at] = (int32_t)(first * (uint32_t)d.mul[at] + (uint32_t)add[o * add_step]);
        }
        for (int32_t b = 0; b < n; b++, image += (ptrdiff_t)in_h * x_row) {
            int32_t next = 0;
            for (int32_t oh = 0; oh < out_h; oh++) {
                const X_T *rows[MOST_ROWS];
                const int32_t sh = oh * stride_h - pad_top;
                for (int32_t kh = 0; kh < kernel_h; kh++) {
                    const int32_t ih = sh + kh;
                    X_T *row = room;
                    if (ih >= 0 && ih < in_h) {
                        row += 8 * (1 + ih % kernel_h) * width;
                        if (ih >= next) {
                            tw_gather_channels(row + 8 * pad_left, image + (ptrdiff_t)ih * x_row, inside, channels,
                                               d.channels);
                            next = ih + 1;
                        }
                    }
                    rows[kh] = row;
                }
                d.y = to;
                to += (ptrdiff_t)out_w * channels;
                if (kernel_h != 3 || kernel_w != 3) {
                    row_any(&d, rows, kernel_h, kernel_w);
                    continue;
                }
                d.x[0] = rows[0];
                d.x[1] = rows[1];
                d.x[2] = rows[2];
                if (X_MIN < 0) {
                    tw_channels_3x3_s8(&d);
                } else {
                    tw_channels_3x3_u8(&d);
                }
            }
        }
    }
}
