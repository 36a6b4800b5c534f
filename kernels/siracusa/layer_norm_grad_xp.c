/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_layer_norm_grad_xp
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include "tw_cluster.h"
#include "tw_floats.h"

/*
 * Gradient of layer normalisation of each of `rows` rows of `len` floats, on all cores, each of which has rows of its own: with
 * d = x - mean and g = dy * scale, dx = inv_std * (g - mean(g) - d * inv_std^2 * mean(g * d)). Scale has one element (step
 * 0) or one for each of a row (step 1). dx may be dy or x.
 */
void TW_KERNEL(const float *dy, const float *x, const float *scale, float *dx, int32_t rows, int32_t len,
               int32_t scale_step, float epsilon)
{
    const struct tw_range part = tw_split((size_t)rows, 1);
    const float share = 1.0f / (float)len;
    for (size_t r = part.begin; r < part.end; r++) {
        const float *px = x + r * (size_t)len, *pdy = dy + r * (size_t)len, *ps = scale;
        float *to = dx + r * (size_t)len;
        float sum = 0.0f, squares = 0.0f, sum_g = 0.0f, sum_gd = 0.0f;
        for (int32_t i = 0; i < len; i++) {
            sum += px[i];
        }
        const float mean = sum * share;
        for (int32_t i = 0; i < len; i++, ps += scale_step) {
            const float d = px[i] - mean, g = pdy[i] * *ps;
            squares = fmaf(d, d, squares);
            sum_g += g;
            sum_gd = fmaf(g, d, sum_gd);
        }
        const float inv = tw_inverse_root(fmaf(squares, share, epsilon));
        const float mean_g = sum_g * share, slope = sum_gd * share * inv * inv;
        ps = scale;
        for (int32_t i = 0; i < len; i++, ps += scale_step) {
            to[i] = inv * (fmaf(pdy[i], *ps, -mean_g) - (px[i] - mean) * slope);
        }
    }
}
