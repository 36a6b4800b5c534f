/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_rms_norm
#endif
/* tilewright: end */
#include <stdint.h>

#include "tw_sqrt.h"

/* RMS normalisation of each of `rows` rows of `len` elements: x / sqrt(mean(x^2) + epsilon) * scale. Scale has one element
 * (step 0) or one for each element of a row (step 1). y may be x. */
void TW_KERNEL(const float *x, const float *scale, float *y, int32_t rows, int32_t len, int32_t scale_step,
               float epsilon)
{
    for (int32_t r = 0; r < rows; r++, x += len, y += len) {
        float squares = 0.0f;
        for (int32_t i = 0; i < len; i++) {
            squares += x[i] * x[i];
        }
        const float inv = 1.0f / tw_sqrtf(squares / (float)len + epsilon);
        for (int32_t i = 0; i < len; i++) {
            y[i] = x[i] * inv * scale[i * scale_step];
        }
    }
}
