/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_quantize_xp
#define Y_T int8_t
#endif
/* tilewright: end */
#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "tw_cluster.h"
#include "tw_floats.h"
#include "tw_xpulp.h"

/* What a channel's elements need. `near` is how far quotients may be computed without a division, `offset` what is added to the
 * bits of the rounded one. */
struct tw_quantizer {
    float scale, inverse, inside, near, magic;
    uint32_t offset, lo, hi;
};

static inline struct tw_quantizer tw_quantizer(float scale, float zero, int add_last, int32_t lo, int32_t hi)
{
    struct tw_quantizer q;
    q.scale = scale;
    q.inverse = 1.0f / scale;
    q.inside = add_last ? 0.0f : zero;
    q.near = scale > 1e-30f && scale < 1e30f && fabsf(zero) < 1048576.0f ? 1048576.0f : -1.0f;
    q.magic = 12582912.0f;
    q.offset = (add_last && q.near > 0.0f ? (uint32_t)(int32_t)zero : 0) - 0x4b400000u;
    q.lo = (uint32_t)lo;
    q.hi = (uint32_t)hi;
    return q;
}

/* Quotients that are large or no numbers. */
TW_NEVER_INLINE Y_T tw_quantized_far(const struct tw_quantizer *q, float x, float behind)
{
    const float quotient = x / q->scale;
    const float r = rintf(quotient + q->inside) + behind;
    const float lo = (float)tw_signed(q->lo), hi = (float)tw_signed(q->hi);
    return r > hi ? (Y_T)tw_signed(q->hi) : r < lo ? (Y_T)tw_signed(q->lo) : r == r ? (Y_T)r : (Y_T)tw_signed(tw_min(tw_max(0, q->lo), q->hi));
}

/*
 * The whole number next to x / scale + inside, and so on. The quotient is rounded as a division would be, without one, as all
 * cores share the divider: the product with the inverse, corrected twice by the remainder (P. Markstein).
 */
TW_ALWAYS_INLINE Y_T tw_quantized(const struct tw_quantizer *q, float x, float behind)
{
    float v = x * q->inverse;
    uint32_t bits;
    if (!(fabsf(v) <= q->near)) {
        return tw_quantized_far(q, x, behind);
    }
    v = fmaf(fmaf(-v, q->scale, x), q->inverse, v);
    v = fmaf(fmaf(-v, q->scale, x), q->inverse, v);
    /* With 1.5 * 2^23 added, the last bits are the whole number. */
    v = v + q->inside + q->magic;
    memcpy(&bits, &v, sizeof bits);
    return (Y_T)tw_signed(tw_min(tw_max(bits + q->offset, q->lo), q->hi));
}

/*
 * y = clip(round(x / scale + zero), lo, hi), or clip(round(x / scale) + zero, lo, hi) with add_last, of x [outer, channels,
 * inner], on all cores; scale and zero have one element (step 0) or one for each channel (step 1). NaN counts as 0.
 */
void TW_KERNEL(const float *x, Y_T *y, int32_t n, int32_t channels, int32_t inner, const float *scale,
               const float *zero, int32_t step, int32_t add_last, int32_t lo, int32_t hi)
{
    const struct tw_range part = tw_split((size_t)n, 4);
    int32_t at = (int32_t)part.begin, channel;
    if (step == 0) {
        /* One channel. */
        inner = n;
        channels = 1;
    }
    channel = tw_divide(at, inner);
    channel -= tw_divide(channel, channels) * channels;
    while (at < (int32_t)part.end) {
        const int32_t rest = at - tw_divide(at, inner) * inner;
        int32_t end = at - rest + inner;
        end = end < (int32_t)part.end ? end : (int32_t)part.end;
        const float behind = add_last ? zero[channel * step] : 0.0f;
        const struct tw_quantizer q = tw_quantizer(scale[channel * step], zero[channel * step], add_last, lo, hi);
        for (; at + 2 <= end; at += 2) {
            const float a = x[at], b = x[at + 1];
            y[at] = tw_quantized(&q, a, behind);
            y[at + 1] = tw_quantized(&q, b, behind);
        }
        if (at < end) {
            y[at] = tw_quantized(&q, x[at], behind);
            at++;
        }
        channel = channel + 1 == channels ? 0 : channel + 1;
    }
}
