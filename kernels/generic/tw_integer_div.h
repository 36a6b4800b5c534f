/* Division of integers in fixed point. */
#ifndef TW_INTEGER_DIV_H
#define TW_INTEGER_DIV_H

#include <stdint.h>

/* eta * den + eps, and what divides by it without a division of 64 bits: its bits moved to the left, and the reciprocal of
 * them, floor((2^64 - 1) / normal) - 2^32 (Moeller and Granlund, Improved division by invariant integers). */
struct tw_divisor {
    int64_t by;
    uint32_t normal; /* 0 where `by` is not positive or has more than 32 bits */
    uint32_t reciprocal;
    int shift;
};

/* A digit of 16 bits of the quotient: of `rest`, which is below d, and the next 16 bits; Knuth, algorithm D. */
static inline uint32_t tw_digit(uint32_t *rest, uint32_t next, uint32_t d)
{
    const uint32_t high = d >> 16, low = d & 0xffffu;
    uint32_t q = *rest / high;
    uint32_t r = *rest - q * high;
    while (q > 0xffffu || q * low > (r << 16 | next)) {
        q--;
        r += high;
        if (r > 0xffffu) {
            break;
        }
    }
    *rest = (*rest << 16 | next) - q * d;
    return q;
}

static inline struct tw_divisor tw_divisor_of(int64_t by)
{
    struct tw_divisor d = {by, 0, 0, 0};
    if (by > 0 && by <= UINT32_MAX) {
        uint32_t rest;
        d.normal = (uint32_t)by;
        for (int step = 16; step > 0; step >>= 1) {
            if (d.normal >> (32 - step) == 0) {
                d.normal <<= step;
                d.shift += step;
            }
        }
        rest = ~d.normal;
        d.reciprocal = tw_digit(&rest, 0xffffu, d.normal) << 16;
        d.reciprocal |= tw_digit(&rest, 0xffffu, d.normal);
    }
    return d;
}

/* n / by rounded to nearest, modulo 2^32; 0 where `by` is 0. */
static inline int32_t tw_wide_quotient(int64_t n, int64_t by)
{
    const int64_t half = by >> 1;
    return by == 0 ? 0 : (int32_t)(uint32_t)((n > 0 ? n + half : n < 0 ? n - half : 0) / by);
}

/* The same. */
static inline int32_t tw_integer_quotient(int64_t n, const struct tw_divisor *d)
{
    const uint32_t by = (uint32_t)d->by;
    const uint64_t u = (uint64_t)(n < 0 ? -n : n) + (by >> 1);
    if (d->normal == 0 || u >> 32 >= by) {
        return tw_wide_quotient(n, d->by);
    }
    const uint64_t v = u << d->shift;
    const uint64_t estimate = (v >> 32) * d->reciprocal + v;
    uint32_t q = (uint32_t)(estimate >> 32) + 1u;
    uint32_t rest = (uint32_t)v - q * d->normal;
    if (rest > (uint32_t)estimate) {
        q--;
        rest += d->normal;
    }
    q += rest >= d->normal;
    return (int32_t)(n < 0 ? 0u - q : q);
}

#endif
