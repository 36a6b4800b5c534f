/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_softmax_mve
#endif
/* tilewright: end */
#include <arm_mve.h>
#include <stdint.h>

/* e^v of four numbers not above 0: 2^n, and a polynomial for what is left of v, at most ln(2) / 2. */
static inline float32x4_t exponential(float32x4_t v)
{
    const mve_pred16_t none = vcmpgtq_f32(vdupq_n_f32(-87.0f), v); /* false of what is no number, as "less" is not */
    v = vdupq_m_n_f32(v, 0.0f, none);
    const float32x4_t n = vrndnq_f32(vmulq_n_f32(v, 1.44269504f));
    const float32x4_t r = vfmaq_n_f32(vfmaq_n_f32(v, n, -0.693359375f), n, 2.12194440e-4f);
    float32x4_t p = vfmasq_n_f32(r, vdupq_n_f32(1.9875691500e-4f), 1.3981999507e-3f);
    p = vfmasq_n_f32(p, r, 8.3334519073e-3f);
    p = vfmasq_n_f32(p, r, 4.1665795894e-2f);
    p = vfmasq_n_f32(p, r, 1.6666665459e-1f);
    p = vfmasq_n_f32(p, r, 5.0000001201e-1f);
    p = vfmaq_f32(vaddq_n_f32(r, 1.0f), p, vmulq_f32(r, r));
    p = vreinterpretq_f32_s32(vaddq_s32(vreinterpretq_s32_f32(p), vshlq_n_s32(vcvtq_s32_f32(n), 23)));
    return vdupq_m_n_f32(p, 0.0f, none);
}

/* Softmax of rows of x [outer, len], four elements at a time; y may be x. */
void TW_KERNEL(const float *x, float *y, int32_t outer, int32_t len, int32_t inner)
{
    (void)inner;
    for (int32_t o = 0; o < outer; o++, x += len, y += len) {
        float32x4_t most = vdupq_n_f32(x[0]), sums = vdupq_n_f32(0.0f);
        for (int32_t i = 0; i < len; i += 4) {
            const mve_pred16_t p = vctp32q((uint32_t)(len - i));
            most = vmaxnmq_m_f32(most, most, vldrwq_z_f32(x + i, p), p);
        }
        const float max = vmaxnmvq_f32(x[0], most);
        for (int32_t i = 0; i < len; i += 4) {
            const mve_pred16_t p = vctp32q((uint32_t)(len - i));
            const float32x4_t e = exponential(vsubq_n_f32(vldrwq_z_f32(x + i, p), max));
            vstrwq_p_f32(y + i, e, p);
            sums = vaddq_m_f32(sums, sums, e, p);
        }
        const float scale = 1.0f
            / ((vgetq_lane_f32(sums, 0) + vgetq_lane_f32(sums, 1)) + (vgetq_lane_f32(sums, 2) + vgetq_lane_f32(sums, 3)));
        for (int32_t i = 0; i < len; i += 4) {
            const mve_pred16_t p = vctp32q((uint32_t)(len - i));
            vstrwq_p_f32(y + i, vmulq_n_f32(vldrwq_z_f32(y + i, p), scale), p);
        }
    }
}
