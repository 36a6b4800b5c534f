/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_conv_pw_xp
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
#define TW_B_T B_T
#define TW_Y_T Y_T
#include "tw_lines.h"

/* Pointwise convolution of bytes, on all cores: x [pixels, in_c], in_c a multiple of four; w [out_c, in_c] in blocks of four
 * channels (rows4); y [pixels, out_c]. bias may be NULL. mul and add have one element (step 0) or one for each output channel
 * (step 1); for a result of 32 bits they are NULL and nothing is requantised. */

#if Y_BITS == 32
#define RQ NULL
#else
#define RQ (&rq)
#endif

void TW_KERNEL(const X_T *x, const W_T *w, const B_T *bias, Y_T *y, int32_t pixels, int32_t in_c, int32_t out_c,
               const int32_t *mul, const int32_t *add, int32_t mul_step, int32_t add_step, int shift, int32_t lo, int32_t hi, int fits)
{
    struct tw_tile tile;
    struct tw_rq rq = tw_rq(mul, add, mul_step, add_step, shift, lo, hi, fits);

    rq.reach = tw_reach(in_c);
    tw_tile_requant(&tile, &rq);
    tile.words = in_c / 4;
    tile.runs = 1;
    tile.x_skip = 0;
    tile.w_skip = 0;
    tw_lines(&tile, RQ, x, 0, in_c, w, 4 * in_c, bias, y, 1, pixels, out_c);
}
