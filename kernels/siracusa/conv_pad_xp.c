/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_conv_pad_xp
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
#include <string.h>

#define TW_X_SIGNED (X_MIN < 0)
#define TW_W_SIGNED (W_MIN < 0)
#define TW_B_T B_T
#define TW_Y_T Y_T
#include "tw_cluster.h"
#include "tw_lines.h"
#include "tw_pack.h"

/* Convolution of bytes in two dimensions, on all cores, which first copy each image with its padding: then every window
 * has all taps, those of a row side by side. For channels that are not made of whole words, such as those of first layers.
 *
 * x [n, in_h, in_w, in_c], w [out_c, kernel_h, kernel_w, in_c] in blocks of four channels (rows4), each row of taps filled
 * to whole words; y [n, out_h, out_w, out_c]; bias may be NULL. mul and add have one element (step 0) or one for each
 * output channel (step 1); for a result of 32 bits they are NULL and nothing is requantised. The scratch memory has a
 * row of ((out_w - 1) * stride_w + kernel_w) * in_c + 3 bytes, rounded up to words, for each row of the padded image. */

#if Y_BITS == 32
#define RQ NULL
#else
#define RQ (&rq)
#endif

/* Rows of `pitch` bytes; the image has in_h rows of `run` bytes from row `top` and byte `left` on. */
TW_NEVER_INLINE void pad(uint8_t *to, const uint8_t *x, int32_t rows, int32_t pitch, int32_t in_h, int32_t run,
                         int32_t top, int32_t left)
{
    const struct tw_range part = tw_split_shared((size_t)rows);
    const int32_t some = run < pitch - left ? run : pitch - left;
    for (int32_t row = (int32_t)part.begin; row < (int32_t)part.end; row++) {
        uint8_t *at = to + row * pitch;
        if (row < top || row >= top + in_h || some <= 0) {
            memset(at, 0, (size_t)pitch);
        } else {
            memset(at, 0, (size_t)left);
            at = tw_copy(at + left, x + (row - top) * run, some);
            memset(at, 0, (size_t)(pitch - left - some));
        }
    }
}

void TW_KERNEL(const X_T *x, const W_T *w, const B_T *bias, Y_T *y,
               int32_t n, int32_t in_h, int32_t in_w, int32_t out_h, int32_t out_w, int32_t in_c, int32_t out_c,
               int32_t kernel_h, int32_t kernel_w, int32_t stride_h, int32_t stride_w, int32_t dil_h,
               int32_t pad_top, int32_t pad_left,
               const int32_t *mul, const int32_t *add, int32_t mul_step, int32_t add_step, int shift,
               int32_t lo, int32_t hi, int fits, void *scratch)
{
    const int32_t pitch = ((((out_w - 1) * stride_w + kernel_w) * in_c + 3) + 3) & ~3;
    const int32_t rows = (out_h - 1) * stride_h + (kernel_h - 1) * dil_h + 1;
    const int32_t words = (kernel_w * in_c + 3) / 4;
    struct tw_tile tile;
    struct tw_rq rq = tw_rq(mul, add, mul_step, add_step, shift, lo, hi, fits);

    rq.reach = tw_reach(kernel_h * kernel_w * in_c);
    tw_tile_requant(&tile, &rq);
    tile.words = words;
    tile.runs = kernel_h;
    tile.x_skip = dil_h * pitch - 4 * words;
    tile.w_skip = 0;
    for (int32_t image = 0; image < n; image++) {
        if (image > 0) {
            tw_barrier();
        }
        pad(scratch, (const uint8_t *)x, rows, pitch, in_h, in_w * in_c, pad_top, pad_left * in_c);
        tw_barrier();
        tw_lines(&tile, RQ, scratch, stride_h * pitch, stride_w * in_c, w, kernel_h * words * 16, bias, y, out_h, out_w,
                 out_c);
        x += (ptrdiff_t)in_h * in_w * in_c;
        y += (ptrdiff_t)out_h * out_w * out_c;
    }
}
