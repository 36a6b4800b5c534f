/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_true_integer_div
#define X_T int8_t
#endif
/* tilewright: end */
#include <stdint.h>

/* y = (x * mul + add) >> shift, which the compiler has proven equal to the division; element by element. y may be x. */
void TW_KERNEL(const X_T *x, int32_t *y, int32_t n, int64_t mul, int64_t add, int shift)
{
    for (int32_t i = 0; i < n; i++) {
        y[i] = (int32_t)(uint32_t)(((int64_t)x[i] * mul + add) >> shift);
    }
}
