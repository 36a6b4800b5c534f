/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_i_rms_norm
#define X_T int8_t
#define W_T int32_t
#define SUM_T uint32_t
#endif
/* tilewright: end */
#include <stdint.h>

#include "tw_isqrt.h"

/* Integer RMS normalisation of each of `rows` rows of `len` elements: clip(((x * w) / std) >> shift, lo, hi) with std =
 * isqrt(sum(x^2) / len + 1). There is one weight (step 0) or one for each element of a row (step 1). y may be x. */
void TW_KERNEL(const X_T *x, const W_T *weight, int8_t *y, int32_t rows, int32_t len, int32_t weight_step, int shift,
               int32_t lo, int32_t hi)
{
    for (int32_t r = 0; r < rows; r++, x += len, y += len) {
        SUM_T squares = 0;
        for (int32_t i = 0; i < len; i++) {
            const int32_t v = x[i];
            const uint32_t magnitude = (uint32_t)(v < 0 ? -v : v);
            squares += magnitude * magnitude;
        }
        const int32_t std = (int32_t)tw_isqrt((uint64_t)(squares / (uint32_t)len) + 1u);
        for (int32_t i = 0; i < len; i++) {
            const int64_t product = (int64_t)x[i] * weight[i * weight_step];
            const int32_t narrow = (int32_t)product;
            const int64_t q = (narrow == product ? narrow / std : product / std) >> shift;
            y[i] = (int8_t)(q < lo ? lo : q > hi ? hi : q);
        }
    }
}
