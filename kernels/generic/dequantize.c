/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_dequantize
#define X_T int8_t
#endif
/* tilewright: end */
#include <stdint.h>

/* y = (x - zero) * scale of x [outer, channels, inner]; scale and zero have one element (step 0) or one for each channel
 * (step 1). */
void TW_KERNEL(const X_T *x, float *y, int32_t outer, int32_t channels, int32_t inner, const float *scale,
               const float *zero, int32_t step)
{
    for (int32_t o = 0; o < outer; o++) {
        for (int32_t c = 0; c < channels; c++) {
            const float s = scale[c * step];
            const float z = zero[c * step];
            for (int32_t i = 0; i < inner; i++) {
                *y++ = ((float)*x++ - z) * s;
            }
        }
    }
}
