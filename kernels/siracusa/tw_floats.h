/*
 * Functions of floats without divisions, of which the whole cluster can do but one at a time, and without tables, which
 * would lie far away: polynomials in registers.
 */
#ifndef TW_FLOATS_H
#define TW_FLOATS_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "tw_xpulp.h"

/* The larger one, or the one that is a number: the library's fmaxf is a call. */
TW_ALWAYS_INLINE float tw_fmax(float a, float b)
{
#if TW_XPULP
    float d;
    __asm__("fmax.s %0, %1, %2" : "=f"(d) : "f"(a), "f"(b));
    return d;
#else
    return fmaxf(a, b);
#endif
}

/* Constants in registers, or near in L1: the compiler would fetch them from far away time and again. */
#if TW_XPULP
#define TW_KEEP(value) __asm__("" : "+f"(value))
#else
#define TW_KEEP(value) (void)(value)
#endif

/* What tw_exp needs. */
struct tw_exp {
    float turn, magic, high, low;
    float p[6];
};

/* A polynomial for exp near 0 (S. Moshier, Cephes, expf); log 2 in two parts. */
TW_ALWAYS_INLINE void tw_exp_begin(struct tw_exp *e)
{
    static const float p[6] = {1.9875691500e-4f, 1.3981999507e-3f, 8.3334519073e-3f,
                               4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f};
    e->turn = 1.44269504f;
    e->magic = 12582912.0f;
    e->high = -0.693359375f;
    e->low = 2.12194440e-4f;
    TW_KEEP(e->turn);
    TW_KEEP(e->magic);
    TW_KEEP(e->high);
    TW_KEEP(e->low);
    for (int i = 0; i < 6; i++) {
        e->p[i] = p[i];
        TW_KEEP(e->p[i]);
    }
}

/*
 * exp(x) of a number not above 88, within 2 units in the last place; 0 where it is no normal number. With n the whole
 * number next to x / log 2, the polynomial serves x - n log 2, and n goes into the exponent.
 */
TW_ALWAYS_INLINE float tw_exp(const struct tw_exp *e, float x)
{
    /* 1.5 * 2^23: the sum's last bits are the whole number. */
    const float sum = fmaf(x, e->turn, e->magic), n = sum - e->magic;
    const float r = fmaf(n, e->low, fmaf(n, e->high, x));
    float p = fmaf(e->p[0], r, e->p[1]);
    uint32_t bits, shift;
    p = fmaf(p, r, e->p[2]);
    p = fmaf(p, r, e->p[3]);
    p = fmaf(p, r, e->p[4]);
    p = fmaf(p, r, e->p[5]);
    p = fmaf(p, r * r, r) + 1.0f;
    memcpy(&bits, &p, sizeof bits);
    memcpy(&shift, &sum, sizeof shift);
    bits += shift << 23;
    memcpy(&p, &bits, sizeof p);
    return x < -87.3f ? 0.0f : p;
}

/*
 * 1 / x within 2 units in the last place, for x from 1 to 10^37: an estimate from the bits, an eighth off, and Newton's steps.
 */
TW_ALWAYS_INLINE float tw_inverse(float x)
{
    uint32_t bits;
    float r;
    memcpy(&bits, &x, sizeof bits);
    bits = UINT32_C(0x7ef311c7) - bits;
    memcpy(&r, &bits, sizeof r);
    r = fmaf(r, fmaf(-x, r, 1.0f), r);
    r = fmaf(r, fmaf(-x, r, 1.0f), r);
    return fmaf(r, fmaf(-x, r, 1.0f), r);
}

/*
 * 1 / sqrt(x) within 4 units in the last place: an estimate from the bits, a thirtieth off, and Newton's steps; by the divider
 * where x is tiny, huge or no number.
 */
TW_ALWAYS_INLINE float tw_inverse_root(float x)
{
    const float half = 0.5f * x;
    uint32_t bits;
    float r;
    if (!(x > 1e-30f && x < 1e30f)) {
        return 1.0f / sqrtf(x);
    }
    memcpy(&bits, &x, sizeof bits);
    bits = UINT32_C(0x5f3759df) - (bits >> 1);
    memcpy(&r, &bits, sizeof r);
    r = r * fmaf(-half * r, r, 1.5f);
    r = r * fmaf(-half * r, r, 1.5f);
    return r * fmaf(-half * r, r, 1.5f);
}

/* What tw_erf needs. */
struct tw_erf {
    struct tw_exp exp;
    float far[6], near[6];
};

TW_ALWAYS_INLINE void tw_erf_begin(struct tw_erf *e)
{
    static const float far[6] = {-1.72853470e-5f, 3.83197126e-4f, -3.88396438e-3f,
                                 2.42546219e-2f, -1.06777877e-1f, -6.34846687e-1f};
    static const float near[6] = {-5.96761703e-4f, 4.99119423e-3f, -2.67681349e-2f,
                                  1.12819925e-1f, -3.76125336e-1f, 1.28379166e-1f};
    tw_exp_begin(&e->exp);
    for (int i = 0; i < 6; i++) {
        e->far[i] = far[i];
        e->near[i] = near[i];
        TW_KEEP(e->far[i]);
        TW_KEEP(e->near[i]);
    }
}

/* erf(x) within 2^-22: a polynomial near 0, 1 - exp of another behind (N. Juffa). */
TW_ALWAYS_INLINE float tw_erf(const struct tw_erf *e, float x)
{
    const float t = fabsf(x), s = x * x;
    float r;
    if (t > 0.927734375f) {
        /* From here on it is 1. */
        const float far = t > 4.0f ? 4.0f : t;
        r = fmaf(fmaf(e->far[0], far, e->far[1]), far * far, fmaf(e->far[2], far, e->far[3]));
        r = fmaf(r, far, e->far[4]);
        r = fmaf(r, far, e->far[5]);
        r = fmaf(r, far, -1.28717512e-1f);
        r = fmaf(r, far, -far);
        return copysignf(1.0f - tw_exp(&e->exp, r), x);
    }
    r = fmaf(e->near[0], s, e->near[1]);
    r = fmaf(r, s, e->near[2]);
    r = fmaf(r, s, e->near[3]);
    r = fmaf(r, s, e->near[4]);
    r = fmaf(r, s, e->near[5]);
    return fmaf(r, x, x);
}

#endif
