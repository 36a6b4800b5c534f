/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_i_softmax_table
#define X_T int8_t
#define X_MIN INT8_MIN
#define TW_SOFTMAX_ROWS "tw_softmax.h"
#endif
/* tilewright: end */
#include <stdint.h>

#include TW_SOFTMAX_ROWS

/* Integer softmax of each of `rows` rows of `len` bytes; every intermediate fits 32 bits, and none is negative. The shifted
 * parabola that stands for exp(-t) is worked out once for each distance t from the largest; t * recip >> 24 is t / log2.
 * y may be x. */
void TW_KERNEL(const X_T *x, uint8_t *y, uint32_t *table, int32_t rows, int32_t len, int32_t a, int32_t b, int32_t c,
               int32_t log2, uint32_t recip, int32_t top)
{
    for (int32_t t = 0; t < 256; t++) {
        int32_t z = (int32_t)(((uint32_t)t * recip) >> 24);
        z = z > 31 ? 31 : z;
        const int32_t p = z * log2 - t + b;
        table[t] = (uint32_t)((a * p * p + c) >> z);
    }
    for (int32_t r = 0; r < rows; r++, x += len, y += len) {
        const int32_t max = tw_largest(x, len, X_MIN < 0);
        const uint32_t sum = tw_sum_of(x, len, max, table, X_MIN < 0);
        tw_shares(x, y, len, max, table, (uint32_t)top, sum, X_MIN < 0);
    }
}
