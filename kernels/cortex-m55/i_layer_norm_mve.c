/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_i_layer_norm_mve
#define X_T int8_t
#define X_MIN INT8_MIN
#define W_T int32_t
#define B_T int32_t
#endif
/* tilewright: end */
#include <stdint.h>

#include "tw_norms.h"

struct row {
    int32_t mean;
    int32_t std;
    uint32x4_t reciprocal;
    int32_t weight_step;
    int32_t bias_step;
    int32_t left; /* the shift, negative */
};

static inline int32x4_t four(const X_T *x, const W_T *weight, const B_T *bias, const struct row *r, int whole, mve_pred16_t p)
{
    const int32x4_t d = vsubq_n_s32(TW_FOUR(X_T, x, 1, whole, p), r->mean);
    const int32x4_t v = vmulq_s32(d, TW_FOUR(W_T, weight, r->weight_step, whole, p));
    const int32x4_t q = tw_quotients(v, r->std, r->reciprocal);
    return vshlq_r_s32(vaddq_s32(q, TW_FOUR(B_T, bias, r->bias_step, whole, p)), r->left);
}

/* Integer layer normalisation of each of `rows` rows of `len` bytes: (((x - mean) * w) / std + b) >> shift, modulo 2^8.
 * There is one weight or bias (step 0) or one for each element of a row (step 1). y may be x. */
void TW_KERNEL(const X_T *x, const W_T *weight, const B_T *bias, int8_t *y, int32_t rows, int32_t len,
               int32_t weight_step, int32_t bias_step, int shift)
{
    int fit;
    TW_FIT(W_T, weight, weight_step, len, fit)
    for (int32_t r = 0; r < rows; r++, x += len, y += len) {
        const int32_t mean = tw_row_sum(x, len, X_MIN < 0) / len;
        const int32_t std = tw_deviation(x, len, mean, X_MIN < 0);
        const struct row row = {mean, std, vdupq_n_u32(UINT32_MAX / (uint32_t)std), weight_step, bias_step, -shift};
        if (fit) {
            int32_t i = 0;
            for (; i < len - 3; i += 4) {
                vstrbq_s32(y + i, four(x + i, weight + i * weight_step, bias + i * bias_step, &row, 1, 0));
            }
            if (i < len) {
                const mve_pred16_t p = vctp32q((uint32_t)(len - i));
                vstrbq_p_s32(y + i, four(x + i, weight + i * weight_step, bias + i * bias_step, &row, 0, p), p);
            }
        } else {
            for (int32_t i = 0; i < len; i++) {
                const int64_t q = (int64_t)(x[i] - mean) * weight[i * weight_step] / std;
                y[i] = (int8_t)(uint8_t)((q + bias[i * bias_step]) >> shift);
            }
        }
    }
}
