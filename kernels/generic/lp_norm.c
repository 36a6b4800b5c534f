/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_lp_norm
#endif
/* tilewright: end */
#include <stdint.h>

#include "tw_sqrt.h"

/* Divides each row along the middle of x [outer, len, inner] by its L1 norm (p 1) or L2 norm (p 2); rows of zeros stay.
 * y may be x. */
void TW_KERNEL(const float *x, float *y, int32_t outer, int32_t len, int32_t inner, int32_t p)
{
    for (int32_t o = 0; o < outer; o++, x += (len - 1) * inner, y += (len - 1) * inner) {
        for (int32_t r = 0; r < inner; r++, x++, y++) {
            float sum = 0.0f;
            for (int32_t i = 0; i < len; i++) {
                const float v = x[i * inner];
                sum += p == 1 ? fabsf(v) : v * v;
            }
            const float norm = p == 1 ? sum : tw_sqrtf(sum);
            for (int32_t i = 0; i < len; i++) {
                y[i * inner] = norm == 0.0f ? 0.0f : x[i * inner] / norm;
            }
        }
    }
}
