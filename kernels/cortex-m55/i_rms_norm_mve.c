/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_i_rms_norm_mve
#define X_T int8_t
#define X_MIN INT8_MIN
#define W_T int32_t
#endif
/* tilewright: end */
#include <stdint.h>

#include "tw_norms.h"

struct row {
    int32_t std;
    uint32x4_t reciprocal;
    int32_t weight_step;
    int32_t left; /* the shift, negative */
    int32x4_t lo;
    int32x4_t hi;
};

static inline int32x4_t four(const X_T *x, const W_T *weight, const struct row *r, int whole, mve_pred16_t p)
{
    const int32x4_t v = vmulq_s32(TW_FOUR(X_T, x, 1, whole, p), TW_FOUR(W_T, weight, r->weight_step, whole, p));
    const int32x4_t q = vshlq_r_s32(tw_quotients(v, r->std, r->reciprocal), r->left);
    return vminq_s32(vmaxq_s32(q, r->lo), r->hi);
}

/* Integer RMS normalisation of each of `rows` rows of `len` bytes: clip(((x * w) / std) >> shift, lo, hi) with std =
 * isqrt(sum(x^2) / len + 1). There is one weight (step 0) or one for each element of a row (step 1). y may be x. */
void TW_KERNEL(const X_T *x, const W_T *weight, int8_t *y, int32_t rows, int32_t len, int32_t weight_step, int shift,
               int32_t lo, int32_t hi)
{
    int fit;
    TW_FIT(W_T, weight, weight_step, len, fit)
    for (int32_t r = 0; r < rows; r++, x += len, y += len) {
        const int32_t std = tw_deviation(x, len, 0, X_MIN < 0);
        const uint32x4_t reciprocal = vdupq_n_u32(UINT32_MAX / (uint32_t)std);
        const struct row row = {std, reciprocal, weight_step, -shift, vdupq_n_s32(lo), vdupq_n_s32(hi)};
        if (fit) {
            int32_t i = 0;
            for (; i < len - 3; i += 4) {
                vstrbq_s32(y + i, four(x + i, weight + i * weight_step, &row, 1, 0));
            }
            if (i < len) {
                const mve_pred16_t p = vctp32q((uint32_t)(len - i));
                vstrbq_p_s32(y + i, four(x + i, weight + i * weight_step, &row, 0, p), p);
            }
        } else {
            for (int32_t i = 0; i < len; i++) {
                const int64_t q = ((int64_t)x[i] * weight[i * weight_step] / std) >> shift;
                y[i] = (int8_t)(q < lo ? lo : q > hi ? hi : q);
            }
        }
    }
}
