/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_ita_max
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

/* The softmax of the ITA accelerator of each of `rows` rows of `len` elements: inv >> exponent with inv = top * 256 / sum.
 * y may be x. */
void TW_KERNEL(const X_T *x, uint8_t *y, int32_t rows, int32_t len, int32_t top)
{
    for (int32_t r = 0; r < rows; r++, x += len, y += len) {
        int32_t max = x[0];
        for (int32_t i = 1; i < len; i++) {
            max = x[i] > max ? x[i] : max;
        }
        uint64_t sum = 0;
        for (int32_t i = 0; i < len; i++) {
            sum += (uint32_t)256 >> exponent(max - x[i]);
        }
        const uint32_t inv = (uint32_t)((uint64_t)top * 256u / sum);
        for (int32_t i = 0; i < len; i++) {
            y[i] = (uint8_t)(inv >> exponent(max - x[i]));
        }
    }
}
