/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_quantize
#define Y_T int8_t
#endif
/* tilewright: end */
#include <math.h>
#include <stdint.h>

/* y = clip(round(x / scale + zero), lo, hi), or clip(round(x / scale) + zero, lo, hi) with add_last, of x [outer, channels, inner];
 * scale and zero have one element (step 0) or one for each channel (step 1). NaN counts as 0. */
void TW_KERNEL(const float *x, Y_T *y, int32_t outer, int32_t channels, int32_t inner, const float *scale,
               const float *zero, int32_t step, int32_t add_last, int32_t lo, int32_t hi)
{
    for (int32_t o = 0; o < outer; o++) {
        for (int32_t c = 0; c < channels; c++) {
            const float s = scale[c * step];
            const float z = zero[c * step];
            for (int32_t i = 0; i < inner; i++) {
                const float q = *x++ / s;
                const float r = add_last ? rintf(q) + z : rintf(q + z);
                /* 2^31 is a float, the largest int32_t is not. */
                int32_t v = 0;
                if (r >= 2147483648.0f) {
                    v = INT32_MAX;
                } else if (r < -2147483648.0f) {
                    v = INT32_MIN;
                } else if (r == r) {
                    v = (int32_t)r;
                }
                *y++ = (Y_T)(v < lo ? lo : v > hi ? hi : v);
            }
        }
    }
}
