/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_layer_norm_grad
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include "tw_sqrt.h"

/* Gradients of layer normalisation of `rows` rows of `len` elements: with h = (x - mean) * inv_std and g = dy * scale,
 * dx = inv_std * (g - mean(g) - h * mean(g * h)), dscale = sum(dy * h) and dbias = sum(dy) over rows. Scale has one element
 * (step 0) or one for each element of a row (step 1); dscale and dbias have as many, or are NULL. dx may be dy or
 * x. */
void TW_KERNEL(const float *dy, const float *x, const float *scale, float *dx, float *dscale, float *dbias,
               int32_t rows, int32_t len, int32_t scale_step, float epsilon)
{
    const float n = (float)len;
    for (int32_t i = 0; i < (scale_step ? len : 1) && dscale != NULL && dbias != NULL; i++) {
        dscale[i] = 0.0f;
        dbias[i] = 0.0f;
    }
    for (int32_t r = 0; r < rows; r++, dy += len, x += len, dx += len) {
        float sum = 0.0f;
        for (int32_t i = 0; i < len; i++) {
            sum += x[i];
        }
        const float mean = sum / n;
        float squares = 0.0f;
        float sum_g = 0.0f;
        float sum_gd = 0.0f;
        for (int32_t i = 0; i < len; i++) {
            const float d = x[i] - mean;
            const float g = dy[i] * scale[i * scale_step];
            squares += d * d;
            sum_g += g;
            sum_gd += g * d;
        }
        const float inv = 1.0f / tw_sqrtf(squares / n + epsilon);
        const float mean_g = sum_g / n;
        const float slope = sum_gd / n * inv * inv;
        for (int32_t i = 0; i < len; i++) {
            const float d = x[i] - mean;
            const float gradient = dy[i];
            dx[i] = inv * (gradient * scale[i * scale_step] - mean_g - d * slope);
            if (dscale != NULL && dbias != NULL) {
                dscale[i * scale_step] += gradient * d * inv;
                dbias[i * scale_step] += gradient;
            }
        }
    }
}
