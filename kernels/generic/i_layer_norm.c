/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_i_layer_norm
#define X_T int8_t
#define W_T int32_t
#define B_T int32_t
#define SUM_T int32_t
#define SQUARES_T uint32_t
#endif
/* tilewright: end */
#include <stdint.h>

#include "tw_isqrt.h"

/* Integer layer normalisation of each of `rows` rows of `len` elements: (((x - mean) * w) / std + b) >> shift, modulo 2^8.
 * There is one weight or bias (step 0) or one for each element of a row (step 1). y may be x. */
void TW_KERNEL(const X_T *x, const W_T *weight, const B_T *bias, int8_t *y, int32_t rows, int32_t len,
               int32_t weight_step, int32_t bias_step, int shift)
{
    for (int32_t r = 0; r < rows; r++, x += len, y += len) {
        SUM_T sum = 0;
        for (int32_t i = 0; i < len; i++) {
            sum += x[i];
        }
        const int32_t mean = (int32_t)(sum / len);
        SQUARES_T squares = 0;
        for (int32_t i = 0; i < len; i++) {
            const int32_t d = x[i] - mean;
            const uint32_t magnitude = (uint32_t)(d < 0 ? -d : d);
            squares += magnitude * magnitude;
        }
        const int32_t std = (int32_t)tw_isqrt((uint64_t)(squares / (uint32_t)len) + 1u);
        for (int32_t i = 0; i < len; i++) {
            const int64_t product = (int64_t)(x[i] - mean) * weight[i * weight_step];
            const int32_t narrow = (int32_t)product;
            const int64_t q = narrow == product ? narrow / std : product / std;
            y[i] = (int8_t)(uint8_t)((q + bias[i * bias_step]) >> shift);
        }
    }
}
