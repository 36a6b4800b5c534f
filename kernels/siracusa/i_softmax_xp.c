/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_i_softmax_xp
#define X_T int8_t
#define X_MIN INT8_MIN
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include "tw_cluster.h"
#include "tw_xpulp.h"

/* The shifted parabola that stands for exp(-t); t is 0..255, t * recip >> 24 is t / log2. */
TW_ALWAYS_INLINE uint32_t exponential(uint32_t t, int32_t a, int32_t b, int32_t c, int32_t log2, uint32_t recip)
{
    const uint32_t z = tw_minu(t * recip >> 24, 31);
    const int32_t p = (int32_t)z * log2 - (int32_t)t + b;
    return (uint32_t)((a * p * p + c) >> z);
}

/* Integer softmax of each of `rows` rows of `len` elements, on all cores, each of which has rows of its own; every
 * intermediate fits 32 bits. y may be x. */
void TW_KERNEL(const X_T *x, uint8_t *y, int32_t rows, int32_t len, int32_t a, int32_t b, int32_t c, int32_t log2,
               uint32_t recip, int32_t top)
{
    const struct tw_range part = tw_split((size_t)rows, 1);
    x += (ptrdiff_t)part.begin * len;
    y += (ptrdiff_t)part.begin * len;
    for (size_t r = part.begin; r < part.end; r++, x += len, y += len) {
        int32_t max = x[0];
        uint32_t sum = 0, inverse;
        for (int32_t i = 1; i < len; i++) {
            max = tw_signed(tw_max((uint32_t)max, (uint32_t)x[i]));
        }
        for (int32_t i = 0; i < len; i++) {
            sum += exponential((uint32_t)(max - x[i]), a, b, c, log2, recip);
        }
        inverse = sum > 1 ? UINT32_MAX / sum : UINT32_MAX;
        for (int32_t i = 0; i < len; i++) {
            const uint32_t n = exponential((uint32_t)(max - x[i]), a, b, c, log2, recip) * (uint32_t)top;
            /* n / sum: the inverse is too small by less than one in 2^32, so the estimate by at most one. */
            const uint32_t estimate = (uint32_t)(((uint64_t)n * inverse) >> 32);
            y[i] = (uint8_t)(n - estimate * sum >= sum ? estimate + 1 : estimate);
        }
    }
}
