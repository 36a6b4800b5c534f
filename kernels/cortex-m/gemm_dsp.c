/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_gemm_dsp
#define A_T int8_t
#define A_MIN INT8_MIN
#define C_T int32_t
#define Y_T int8_t
#define Y_MIN INT8_MIN
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include "tw_dots.h"

/*
 * Rows of bytes times a constant matrix, requantised in 32 bits, or as they are where the results have 32
 * bits: four columns of one row at a time.
 *
 * a [m, k], y [m, n]; b packed in rows4, its columns as rows; c has an element for each column, or is NULL.
 */
void TW_KERNEL(const A_T *a, const int8_t *b, const C_T *c, Y_T *y, int32_t m, int32_t k, int32_t n, const int32_t *mul,
               const int32_t *add, int32_t mul_step, int32_t add_step, int shift, int32_t lo, int32_t hi)
{
    const struct tw_scale scale = {mul, add, mul_step, add_step, shift, lo, hi, UINT32_C(1) << shift >> 1};
    const int32_t words = k / 4, rest = k % 4;
    for (int32_t i = 0; i < m; i++, a += k) {
        const uint32_t *rows = (const uint32_t *)(const void *)b;
        const uint32_t last = rest > 0 ? tw_last((const uint8_t *)a + 4 * words, rest) : 0;
        for (int32_t o = 0; o < n; o += 4) {
            const int32_t block = n - o < 4 ? n - o : 4;
            uint32_t acc[4] = {0, 0, 0, 0};
            if (c != NULL) {
                for (int32_t j = 0; j < block; j++) {
                    acc[j] = (uint32_t)c[o + j];
                }
            }
            tw_dots_1x4(a, rows, words, acc, A_MIN < 0);
            rows += 4 * words;
            if (rest > 0) {
                tw_dots_1x4(&last, rows, 1, acc, A_MIN < 0);
                rows += 4;
            }
            for (int32_t j = 0; j < block; j++) {
                *y++ = sizeof(Y_T) == 4
                    ? (Y_T)acc[j]
                    : (Y_T)tw_scaled(&scale, acc[j], mul[(o + j) * mul_step], tw_addend(&scale, o + j), Y_MIN < 0);
            }
        }
    }
}
