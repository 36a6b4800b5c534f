/*
 * Requantisation on the cluster: in 64 bits, and in 32 where those provably give the same.
 */
#ifndef TW_REQUANT_XP_H
#define TW_REQUANT_XP_H

#include <stdint.h>

#include "tw_xpulp.h"

/* A requantisation as kernels get it, and what follows from it. */
struct tw_rq {
    const int32_t *mul;
    const int32_t *add;
    int32_t mul_step;
    int32_t add_step;
    int shift;
    int32_t lo;
    int32_t hi;
    int64_t half;  /* 2^(shift - 1), or 0 */
    int64_t fold;  /* half - lo * 2^shift */
    int64_t least; /* sums below it give lo */
    int64_t most;  /* sums from it on give hi */
    int32_t reach; /* no accumulator without its bias is larger */
    int fits;      /* whether acc * mul + add + fold is known to fit 32 bits */
};

/* 0 <= shift <= 48; lo and hi within nine bits. */
static inline struct tw_rq tw_rq(const int32_t *mul, const int32_t *add, int32_t mul_step, int32_t add_step, int shift,
                                 int32_t lo, int32_t hi, int fits)
{
    const int64_t one = (int64_t)(UINT64_C(1) << shift);
    const struct tw_rq rq = {mul, add, mul_step, add_step, shift, lo, hi, one >> 1, (one >> 1) - lo * one, lo * one,
                             (hi + 1) * one, INT32_MAX, fits};
    return rq;
}

/* clip((acc * mul + add + half) >> shift, lo, hi) in 64 bits, exactly. */
static inline int32_t tw_requant_wide(const struct tw_rq *rq, int32_t acc, int32_t mul, int32_t add)
{
    const int64_t sum = (int64_t)acc * mul + (add + rq->half);
    if (rq->shift >= 8 && rq->shift < 32) {
        /* Clipped to what the shift makes a number of 32 bits, at least 2^31 - 2^24 if it was larger. */
        const uint32_t high = tw_clipr((uint32_t)((uint64_t)sum >> 32), (UINT32_C(1) << (rq->shift - 1)) - 1);
        const uint32_t scaled = (uint32_t)(uint64_t)sum >> rq->shift | high << (32 - rq->shift);
        return tw_signed(tw_min(tw_max(scaled, (uint32_t)rq->lo), (uint32_t)rq->hi));
    }
    if (sum < rq->least) {
        return rq->lo;
    }
    if (sum >= rq->most) {
        return rq->hi;
    }
    if (rq->shift >= 32) {
        return (int32_t)(sum >> 32) >> (rq->shift - 32);
    }
    /* Two halves: the compiler's 64-bit shift is a call. */
    return tw_signed((uint32_t)(uint64_t)sum >> rq->shift
                     | (uint32_t)((uint64_t)sum >> 32) << 1 << (31 - rq->shift));
}

/* One multiplier and addend in 32 bits: clip((clip(x, -limit - 1, limit) * mul + add) >> shift, lo, hi). */
struct tw_narrow {
    int32_t mul;
    int32_t add;
    int32_t limit;
    int32_t shift;
    int32_t lo;
    int32_t hi;
};

/* Where x * mul + add + half is known to fit 32 bits. */
static inline void tw_narrow_fits(struct tw_narrow *narrow, int32_t mul, int32_t add, int shift, int32_t lo, int32_t hi)
{
    narrow->mul = mul;
    narrow->add = tw_signed((uint32_t)add + (UINT32_C(1) << shift >> 1));
    narrow->limit = INT32_MAX;
    narrow->shift = shift;
    narrow->lo = lo;
    narrow->hi = hi;
}

/*
 * Where it is not known; 0 if there is no such form. With |mul| < 2^bits and a limit of 2^(30 - bits) - 1, products stay
 * below 2^30; so does the addend, with what rounds. A number that is clipped gives the right result if the limits already
 * give results outside lo .. hi, as requantisation is monotonous.
 */
static inline int tw_narrow(struct tw_narrow *narrow, int32_t mul, int32_t add, int shift, int32_t lo, int32_t hi)
{
    const uint32_t magnitude = tw_abs((uint32_t)mul), bits = tw_fl1(magnitude | 1u) + 1;
    const uint32_t limit = (UINT32_C(0x40000000) >> bits) - 1, reach = limit * magnitude;
    if (shift > 29 || bits > 30 || (uint32_t)add + (1u << 29) >= 1u << 30) {
        return 0;
    }
    tw_narrow_fits(narrow, mul, add, shift, lo, hi);
    narrow->limit = tw_signed(limit);
    return mul == 0 || (tw_signed((uint32_t)narrow->add + reach) >> shift >= hi
                        && tw_signed((uint32_t)narrow->add - reach) >> shift <= lo);
}

static inline int32_t tw_narrow_one(const struct tw_narrow *narrow, int32_t x)
{
    const uint32_t v = tw_clipr((uint32_t)x, (uint32_t)narrow->limit);
    const uint32_t sum = tw_mac((uint32_t)narrow->add, v, (uint32_t)narrow->mul);
    const uint32_t scaled = (uint32_t)(tw_signed(sum) >> narrow->shift);
    return tw_signed(tw_min(tw_max(scaled, (uint32_t)narrow->lo), (uint32_t)narrow->hi));
}

#endif
