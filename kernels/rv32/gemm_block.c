/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_gemm_block
#define A_T int8_t
#define C_T int32_t
#define Y_T int8_t
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include "tw_scale.h"

/*
 * Rows of bytes times a constant matrix, requantised in 32 bits, or as they are where the results have 32
 * bits: eight columns of one row at a time.
 *
 * a [m, k], y [m, n]; b packed in rows4, its columns as rows; c has an element for each column, or is NULL.
 */

/* acc[j] += a * column j of the four of a block. */
static TW_APART void dots_1x4(const A_T *a, const int8_t *b, int32_t k, uint32_t acc[4])
{
    uint32_t a0 = acc[0], a1 = acc[1], a2 = acc[2], a3 = acc[3];
#define TW_STEP(i) \
    { \
        const int32_t v = a[i]; \
        a0 += (uint32_t)(v * b[i]); \
        a1 += (uint32_t)(v * b[4 + i]); \
        a2 += (uint32_t)(v * b[8 + i]); \
        a3 += (uint32_t)(v * b[12 + i]); \
        TW_STEP_ENDS; \
    }
    for (; k >= 4; k -= 4, a += 4, b += 16) {
        TW_STEP(0)
        TW_STEP(1)
        TW_STEP(2)
        TW_STEP(3)
    }
    for (int32_t i = 0; i < k; i++) {
        TW_STEP(i)
    }
#undef TW_STEP
    acc[0] = a0;
    acc[1] = a1;
    acc[2] = a2;
    acc[3] = a3;
}

/* acc[j] += a * column j, of two blocks of four columns that are `next` bytes apart. */
static TW_APART void dots_1x8(const A_T *a, const int8_t *b, int32_t k, int32_t next, uint32_t acc[8])
{
    const int8_t *c = b + next;
    uint32_t a0 = acc[0], a1 = acc[1], a2 = acc[2], a3 = acc[3];
    uint32_t a4 = acc[4], a5 = acc[5], a6 = acc[6], a7 = acc[7];
#define TW_STEP(i) \
    { \
        const int32_t v = a[i]; \
        a0 += (uint32_t)(v * b[i]); \
        a1 += (uint32_t)(v * b[4 + i]); \
        a2 += (uint32_t)(v * b[8 + i]); \
        a3 += (uint32_t)(v * b[12 + i]); \
        a4 += (uint32_t)(v * c[i]); \
        a5 += (uint32_t)(v * c[4 + i]); \
        a6 += (uint32_t)(v * c[8 + i]); \
        a7 += (uint32_t)(v * c[12 + i]); \
        TW_STEP_ENDS; \
    }
    for (; k >= 4; k -= 4, a += 4, b += 16, c += 16) {
        TW_STEP(0)
        TW_STEP(1)
        TW_STEP(2)
        TW_STEP(3)
    }
    for (int32_t i = 0; i < k; i++) {
        TW_STEP(i)
    }
#undef TW_STEP
    acc[0] = a0;
    acc[1] = a1;
    acc[2] = a2;
    acc[3] = a3;
    acc[4] = a4;
    acc[5] = a5;
    acc[6] = a6;
    acc[7] = a7;
}

void TW_KERNEL(const A_T *a, const int8_t *b, const C_T *c, Y_T *y, int32_t m, int32_t k, int32_t n, const int32_t *mul,
               const int32_t *add, int32_t mul_step, int32_t add_step, int shift, int32_t lo, int32_t hi)
{
    const struct tw_scale scale = {mul, add, mul_step, add_step, shift, lo, hi};
    const int32_t words = (k + 3) / 4;
    for (int32_t i = 0; i < m; i++, a += k) {
        const int8_t *rows = b;
        for (int32_t o = 0; o < n; o += 8, rows += 32 * words) {
            const int32_t block = n - o < 8 ? n - o : 8;
            uint32_t acc[8] = {0, 0, 0, 0, 0, 0, 0, 0};
            if (c != NULL) {
                for (int32_t j = 0; j < block; j++) {
                    acc[j] = (uint32_t)c[o + j];
                }
            }
            if (block > 4) {
                dots_1x8(a, rows, k, 16 * words, acc);
            } else {
                dots_1x4(a, rows, k, acc);
            }
            for (int32_t j = 0; j < block; j++) {
                *y++ = sizeof(Y_T) == 4
                    ? (Y_T)acc[j]
                    : (Y_T)tw_scaled(&scale, acc[j], mul[(o + j) * mul_step], tw_addend(&scale, o + j));
            }
        }
    }
}
