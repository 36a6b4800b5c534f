/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_layer_norm_xp
#endif
/* tilewright: end */
#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "tw_cluster.h"
#include "tw_floats.h"

/* The sum of n floats, or with `squares` that of their squares' distances from `mean`. */
TW_ALWAYS_INLINE float tw_total(const float *x, float mean, int squares, int32_t n)
{
    float sum = 0.0f;
    for (; n >= 4; n -= 4, x += 4) {
        float a = x[0], b = x[1], c = x[2], d = x[3];
        if (squares) {
            a -= mean;
            b -= mean;
            c -= mean;
            d -= mean;
            sum = fmaf(d, d, fmaf(c, c, fmaf(b, b, fmaf(a, a, sum))));
        } else {
            sum = sum + a + b + c + d;
        }
    }
    for (; n > 0; n--, x++) {
        sum = squares ? fmaf(*x - mean, *x - mean, sum) : sum + *x;
    }
    return sum;
}

/* y = (x - mean) * inv * scale + bias */
TW_ALWAYS_INLINE void tw_spread(const float *x, const float *scale, const float *bias, float *y, float mean, float inv,
                                int32_t n)
{
    for (; n >= 4; n -= 4, x += 4, y += 4, scale += 4, bias += 4) {
        const float a = x[0] - mean, b = x[1] - mean, c = x[2] - mean, d = x[3] - mean;
        const float p = scale[0], q = scale[1], r = scale[2], s = scale[3];
        const float e = bias[0], f = bias[1], g = bias[2], h = bias[3];
        y[0] = fmaf(a * inv, p, e);
        y[1] = fmaf(b * inv, q, f);
        y[2] = fmaf(c * inv, r, g);
        y[3] = fmaf(d * inv, s, h);
    }
    for (; n > 0; n--) {
        *y++ = fmaf((*x++ - mean) * inv, *scale++, *bias++);
    }
}

/*
 * Layer normalisation of each of `rows` rows of `len` floats: (x - mean) * inv_std * scale + bias, on all cores, each of which
 * has rows of its own. Scale and bias have one element (step 0) or one for each of a row (step 1); bias may be NULL. So may
 * mean and inv_std, which take one element for each row. y may be x.
 */
void TW_KERNEL(const float *x, const float *scale, const float *bias, float *y, float *mean, float *inv_std,
               int32_t rows, int32_t len, int32_t scale_step, int32_t bias_step, float epsilon)
{
    const struct tw_range part = tw_split((size_t)rows, 1);
    const float share = 1.0f / (float)len;
    x += (ptrdiff_t)part.begin * len;
    y += (ptrdiff_t)part.begin * len;
    for (size_t r = part.begin; r < part.end; r++, x += len, y += len) {
        const float m = tw_total(x, 0.0f, 0, len) * share;
        const float inv = tw_inverse_root(fmaf(tw_total(x, m, 1, len), share, epsilon));
        if (scale_step == 1 && bias != NULL && bias_step == 1) {
            tw_spread(x, scale, bias, y, m, inv, len);
        } else {
            for (int32_t i = 0; i < len; i++) {
                y[i] = fmaf((x[i] - m) * inv, scale[i * scale_step], bias != NULL ? bias[i * bias_step] : 0.0f);
            }
        }
        if (mean != NULL) {
            mean[r] = m;
        }
        if (inv_std != NULL) {
            inv_std[r] = inv;
        }
    }
}
