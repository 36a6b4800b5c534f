/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_i_softmax
#define X_T int8_t
#endif
/* tilewright: end */
#include <stdint.h>

/* The shifted parabola that stands for exp(-t); t is 0..255, t * recip >> 24 is t / log2. */
static inline int32_t exponential(int32_t t, int32_t a, int32_t b, int32_t c, int32_t log2, uint32_t recip)
{
    int32_t z = (int32_t)(((uint32_t)t * recip) >> 24);
    z = z > 31 ? 31 : z;
    const int32_t p = z * log2 - t + b;
    return (a * p * p + c) >> z;
}

/* Integer softmax of each of `rows` rows of `len` elements; every intermediate fits 32 bits. y may be x. */
void TW_KERNEL(const X_T *x, uint8_t *y, int32_t rows, int32_t len, int32_t a, int32_t b, int32_t c, int32_t log2,
               uint32_t recip, int32_t top)
{
    for (int32_t r = 0; r < rows; r++, x += len, y += len) {
        int32_t max = x[0];
        for (int32_t i = 1; i < len; i++) {
            max = x[i] > max ? x[i] : max;
        }
        int32_t sum = 0;
        for (int32_t i = 0; i < len; i++) {
            sum += exponential(max - x[i], a, b, c, log2, recip);
        }
        for (int32_t i = 0; i < len; i++) {
            y[i] = (uint8_t)(exponential(max - x[i], a, b, c, log2, recip) * top / sum);
        }
    }
}
