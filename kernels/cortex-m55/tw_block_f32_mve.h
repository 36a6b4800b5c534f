/*
 * Windows of floats times a block of channels with vectors.
 */
#ifndef TW_BLOCK_F32_MVE_H
#define TW_BLOCK_F32_MVE_H

#include <arm_mve.h>
#include <stddef.h>
#include <stdint.h>

#include "tw_windows.h"

#define TW_PIXELS 3
#define TW_CHANNELS 8

static inline void tw_store(float *y, float32x4_t v, const struct tw_windows *at, mve_pred16_t p)
{
    v = vdupq_m_n_f32(v, at->lo, vcmpgtq_f32(vdupq_n_f32(at->lo), v)); /* "less" is true of what is no number */
    v = vdupq_m_n_f32(v, at->hi, vcmpgtq_n_f32(v, at->hi));
    vstrwq_p_f32(y, v, p);
}

/* Up to eight channels of up to three windows. */
static __attribute__((noinline)) void tw_block(const float *x, int32_t pixels, const float *w, const float *bias, float *y,
                                               int32_t channels, const struct tw_windows *at)
{
    const mve_pred16_t p = vctp32q((uint32_t)channels), q = vctp32q(channels > 4 ? (uint32_t)channels - 4u : 0u);
    float32x4_t a0 = vdupq_n_f32(0.0f), a1 = a0, b0, b1, c0, c1, v0, v1;
    const float *x1 = x + (pixels > 1 ? at->next : 0), *x2 = x1 + (pixels > 2 ? at->next : 0);
    int32_t rows = at->rows;
    uint32_t t0, t1, t2;
    if (bias != NULL) {
        a0 = vldrwq_z_f32(bias, p);
        a1 = vldrwq_z_f32(bias + 4, q);
    }
    b0 = c0 = a0;
    b1 = c1 = a1;
    if (rows > 0 && pixels == 1) {
        __asm__ volatile("2: dls lr, %[run]\n"
                         "1: vldrw.u32 %q[v0], [%[w]], #16\n"
                         "ldr %[t0], [%[x]], #4\n"
                         "vldrw.u32 %q[v1], [%[w]], #16\n"
                         "vfma.f32 %q[a0], %q[v0], %[t0]\n"
                         "vfma.f32 %q[a1], %q[v1], %[t0]\n"
                         "le lr, 1b\n"
                         "add %[x], %[x], %[x_skip]\n"
                         "add %[w], %[w], %[w_skip]\n"
                         "subs %[rows], %[rows], #1\n"
                         "bne 2b\n"
                         : [a0] "+w"(a0), [a1] "+w"(a1), [v0] "=&w"(v0), [v1] "=&w"(v1), [x] "+r"(x), [w] "+r"(w),
                           [rows] "+r"(rows), [t0] "=&r"(t0)
                         : [run] "r"(at->run), [x_skip] "r"(4 * at->x_skip), [w_skip] "r"(4 * at->w_skip)
                         : "lr", "memory", "cc");
    } else if (rows > 0) {
        __asm__ volatile("2: dls lr, %[run]\n"
                         "1: vldrw.u32 %q[v0], [%[w]], #16\n"
                         "ldr %[t0], [%[x]], #4\n"
                         "vldrw.u32 %q[v1], [%[w]], #16\n"
                         "vfma.f32 %q[a0], %q[v0], %[t0]\n"
                         "ldr %[t1], [%[x1]], #4\n"
                         "vfma.f32 %q[a1], %q[v1], %[t0]\n"
                         "ldr %[t2], [%[x2]], #4\n"
                         "vfma.f32 %q[b0], %q[v0], %[t1]\n"
                         "vfma.f32 %q[b1], %q[v1], %[t1]\n"
                         "vfma.f32 %q[c0], %q[v0], %[t2]\n"
                         "vfma.f32 %q[c1], %q[v1], %[t2]\n"
                         "le lr, 1b\n"
                         "add %[x], %[x], %[x_skip]\n"
                         "add %[x1], %[x1], %[x_skip]\n"
                         "add %[x2], %[x2], %[x_skip]\n"
                         "add %[w], %[w], %[w_skip]\n"
                         "subs %[rows], %[rows], #1\n"
                         "bne 2b\n"
                         : [a0] "+w"(a0), [a1] "+w"(a1), [b0] "+w"(b0), [b1] "+w"(b1), [c0] "+w"(c0), [c1] "+w"(c1),
                           [v0] "=&w"(v0), [v1] "=&w"(v1), [x] "+r"(x), [x1] "+r"(x1), [x2] "+r"(x2), [w] "+r"(w),
                           [rows] "+r"(rows), [t0] "=&r"(t0), [t1] "=&r"(t1), [t2] "=&r"(t2)
                         : [run] "r"(at->run), [x_skip] "r"(4 * at->x_skip), [w_skip] "r"(4 * at->w_skip)
                         : "lr", "memory", "cc");
    }
    tw_store(y, a0, at, p);
    tw_store(y + 4, a1, at, q);
    if (pixels > 1) {
        tw_store(y + at->y_next, b0, at, p);
        tw_store(y + at->y_next + 4, b1, at, q);
    }
    if (pixels > 2) {
        tw_store(y + 2 * at->y_next, c0, at, p);
        tw_store(y + 2 * at->y_next + 4, c1, at, q);
    }
}

#endif
