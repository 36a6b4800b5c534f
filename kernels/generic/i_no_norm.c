/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_i_no_norm
#define X_T int8_t
#define W_T int8_t
#define B_T int32_t
#endif
/* tilewright: end */
#include <stdint.h>

/* y = ((x * w + b) * mul) >> shift, modulo 2^8, element by element; w repeats after `weight_len` elements, b after
 * `bias_len`. y may be x. */
void TW_KERNEL(const X_T *x, const W_T *weight, const B_T *bias, int8_t *y, int32_t n, int32_t weight_len,
               int32_t bias_len, int32_t mul, int shift)
{
    int32_t w = 0;
    int32_t b = 0;
    for (int32_t i = 0; i < n; i++) {
        const int64_t sum = (int64_t)x[i] * weight[w] + bias[b];
        const int64_t product = (int64_t)((uint64_t)sum * (uint64_t)(int64_t)mul);
        y[i] = (int8_t)(uint8_t)(product >> shift);
        w = w + 1 == weight_len ? 0 : w + 1;
        b = b + 1 == bias_len ? 0 : b + 1;
    }
}
