/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_gemv_xp
#define A_T int8_t
#define A_MIN INT8_MIN
#define B_T int8_t
#define B_MIN INT8_MIN
#define C_T int32_t
#define Y_T int8_t
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#define TW_X_SIGNED (A_MIN < 0)
#define TW_W_SIGNED (B_MIN < 0)
#include "tw_cluster.h"
#include "tw_dots.h"

/* One row of bytes, of `words` words, times a constant matrix of n columns, requantised to bytes, on all cores. b is packed
 * in blocks of four columns (rows4). c has one element for each column, or is NULL. mul and add have one element (step 0) or
 * one for each column (step 1); 8 <= shift < 32; `fits` says that requantisation fits 32 bits. */
void TW_KERNEL(const A_T *a, const B_T *b, const C_T *c, Y_T *y, int32_t words, int32_t n, const int32_t *mul,
               const int32_t *add, int32_t mul_step, int32_t add_step, int shift, int32_t lo, int32_t hi, int fits)
{
    const struct tw_range part = tw_split((size_t)(n + 3) / 4, 1);
    const int32_t end = (int32_t)part.end * 4 < n ? (int32_t)part.end * 4 : n;
    struct tw_scaling scaling;
    int32_t o = (int32_t)part.begin * 4;
    if (o >= end) {
        return;
    }
    tw_scaling(&scaling, mul, add, mul_step, add_step, shift, lo, hi, fits);
    b += (ptrdiff_t)o * 4 * words;
    while (o < end) {
        const int32_t count = end - o < 8 ? end - o : 8;
        uint32_t acc[8];
        if (count > 4) {
            tw_dots_two(acc, a, b, words);
        } else {
            tw_dots_packed(acc, a, b, words);
        }
        for (int32_t j = 0; c != NULL && j < count; j++) {
            acc[j] += (uint32_t)(int32_t)c[o + j];
        }
        tw_scale(&scaling, acc, o, count, (uint8_t *)y + o);
        o += count;
        b += 32 * words;
    }
}
