/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_true_integer_div_exact
#define X_T int8_t
#endif
/* tilewright: end */
#include <stdint.h>

/* y = floor(x * numerator / divisor), element by element; the divisor is positive. y may be x. */
void TW_KERNEL(const X_T *x, int32_t *y, int32_t n, int64_t numerator, int64_t divisor)
{
    for (int32_t i = 0; i < n; i++) {
        const int64_t product = (int64_t)((uint64_t)x[i] * (uint64_t)numerator);
        const int64_t q = product / divisor;
        y[i] = (int32_t)(uint32_t)(q - (product % divisor < 0));
    }
}
