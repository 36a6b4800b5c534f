/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_group_norm
#endif
/* tilewright: end */
#include <stdint.h>

#include "tw_sqrt.h"

/* Group normalisation of x [batch, channels, spatial] over groups of `group_size` channels: (x - mean) * inv_std * scale + bias.
 * `scale_share` and `bias_share` channels use one element of scale and bias. y may be x. */
void TW_KERNEL(const float *x, const float *scale, const float *bias, float *y, int32_t batch, int32_t channels,
               int32_t group_size, int32_t spatial, int32_t scale_share, int32_t bias_share, float epsilon)
{
    const int32_t len = group_size * spatial;
    for (int32_t b = 0; b < batch; b++) {
        for (int32_t first = 0; first < channels; first += group_size) {
            float sum = 0.0f;
            for (int32_t i = 0; i < len; i++) {
                sum += x[i];
            }
            const float mean = sum / (float)len;
            float squares = 0.0f;
            for (int32_t i = 0; i < len; i++) {
                squares += (x[i] - mean) * (x[i] - mean);
            }
            const float inv = 1.0f / tw_sqrtf(squares / (float)len + epsilon);
            for (int32_t c = first; c < first + group_size; c++) {
                const float s = inv * scale[c / scale_share];
                const float t = bias[c / bias_share];
                for (int32_t i = 0; i < spatial; i++) {
                    *y++ = (*x++ - mean) * s + t;
                }
            }
        }
    }
}
