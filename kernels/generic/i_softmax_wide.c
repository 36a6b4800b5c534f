/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_i_softmax_wide
#define X_T int16_t
#endif
/* tilewright: end */
#include <stdint.h>

/* The shifted parabola that stands for exp(-t), t not negative. */
static inline int64_t exponential(int32_t t, int64_t a, int64_t b, int64_t c, int32_t log2)
{
    int32_t z = t / log2;
    z = z > 31 ? 31 : z;
    const int64_t p = (int64_t)z * log2 - t + b;
    return (a * p * p + c) >> z;
}

/* Integer softmax of each of `rows` rows of `len` elements. y may be x. */
void TW_KERNEL(const X_T *x, uint8_t *y, int32_t rows, int32_t len, int64_t a, int64_t b, int64_t c, int32_t log2,
               int32_t top)
{
    for (int32_t r = 0; r < rows; r++, x += len, y += len) {
        int32_t max = x[0];
        for (int32_t i = 1; i < len; i++) {
            max = x[i] > max ? x[i] : max;
        }
        int64_t sum = 0;
        for (int32_t i = 0; i < len; i++) {
            sum += exponential(max - x[i], a, b, c, log2);
        }
        for (int32_t i = 0; i < len; i++) {
            y[i] = (uint8_t)(exponential(max - x[i], a, b, c, log2) * top / sum);
        }
    }
}
