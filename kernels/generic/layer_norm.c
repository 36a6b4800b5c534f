/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_layer_norm
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include "tw_sqrt.h"

/* Layer normalisation of each of `rows` rows of `len` elements: (x - mean) * inv_std * scale + bias. Scale and bias have one
 * element (step 0) or one for each element of a row (step 1); bias may be NULL. So may mean and inv_std, which
 * take one element for each row. y may be x. */
void TW_KERNEL(const float *x, const float *scale, const float *bias, float *y, float *mean, float *inv_std,
               int32_t rows, int32_t len, int32_t scale_step, int32_t bias_step, float epsilon)
{
    for (int32_t r = 0; r < rows; r++, x += len, y += len) {
        float sum = 0.0f;
        for (int32_t i = 0; i < len; i++) {
            sum += x[i];
        }
        const float m = sum / (float)len;
        float squares = 0.0f;
        for (int32_t i = 0; i < len; i++) {
            squares += (x[i] - m) * (x[i] - m);
        }
        const float inv = 1.0f / tw_sqrtf(squares / (float)len + epsilon);
        for (int32_t i = 0; i < len; i++) {
            y[i] = (x[i] - m) * inv * scale[i * scale_step] + (bias != NULL ? bias[i * bias_step] : 0.0f);
        }
        if (mean != NULL) {
            mean[r] = m;
        }
        if (inv_std != NULL) {
            inv_std[r] = inv;
        }
    }
}
