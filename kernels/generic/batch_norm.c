/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_batch_norm
#endif
/* tilewright: end */
#include <stdint.h>

#include "tw_sqrt.h"

/* y = (x - mean) / sqrt(var + epsilon) * scale + bias per channel of x [outer, channels, inner]. y may be x. */
void TW_KERNEL(const float *x, const float *scale, const float *bias, const float *mean, const float *var, float *y,
               int32_t outer, int32_t channels, int32_t inner, float epsilon)
{
    for (int32_t o = 0; o < outer; o++) {
        for (int32_t c = 0; c < channels; c++) {
            const float s = scale[c] / tw_sqrtf(var[c] + epsilon);
            for (int32_t i = 0; i < inner; i++) {
                *y++ = (*x++ - mean[c]) * s + bias[c];
            }
        }
    }
}
