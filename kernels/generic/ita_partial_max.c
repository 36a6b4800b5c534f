/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_ita_partial_max
#define X_T int8_t
#endif
/* tilewright: end */
#include <stdint.h>

/* The exponent of the power of two that stands for exp(-distance). */
static inline int32_t exponent(int32_t distance)
{
    const int32_t e = (distance + 16) >> 5;
    return e > 31 ? 31 : e;
}

/* The softmax of the ITA accelerator of each of `rows` rows of `len` elements, the sum being streamed over groups of
 * `width` columns: whenever a group raises the maximum, the sum so far is scaled down. y may be x. */
void TW_KERNEL(const X_T *x, uint8_t *y, int32_t rows, int32_t len, int32_t width, int32_t top)
{
    for (int32_t r = 0; r < rows; r++, x += len, y += len) {
        int32_t max = x[0];
        uint64_t sum = 0;
        for (int32_t start = 0; start < len;) {
            const int32_t end = len - start > width ? start + width : len;
            int32_t peak = max;
            for (int32_t i = start; i < end; i++) {
                peak = x[i] > peak ? x[i] : peak;
            }
            if (peak > max) {
                sum >>= exponent(peak - max);
                max = peak;
            }
            for (int32_t i = start; i < end; i++) {
                sum += (uint32_t)256 >> exponent(max - x[i]);
            }
            start = end;
        }
        const uint32_t inv = (uint32_t)((uint64_t)top * 256u / sum);
        for (int32_t i = 0; i < len; i++) {
            y[i] = (uint8_t)(inv >> exponent(max - x[i]));
        }
    }
}
