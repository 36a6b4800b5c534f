/*
 * Requantisation on the cluster, in 64 bits. What 32 bits can do stands where it is used: the proof depends on it.
 */
#ifndef TW_REQUANT_XP_H
#define TW_REQUANT_XP_H

#include <stdint.h>

/* A requantisation as kernels get it. */
struct tw_rq {
    const int32_t *mul;
    const int32_t *add;
    int32_t mul_step;
    int32_t add_step;
    int shift;
    int32_t lo;
    int32_t hi;
};

/* clip((acc * mul + add + half) >> shift, lo, hi) in 64 bits, exactly; 0 <= shift <= 48, lo and hi within 9 bits. */
static inline int32_t tw_requant_wide(int32_t acc, int32_t mul, int32_t add, int shift, int32_t lo, int32_t hi)
{
    const int64_t half = (int64_t)((UINT64_C(1) << shift) >> 1);
    const int64_t sum = (int64_t)acc * mul + add + half;
    const int64_t least = (int64_t)lo * ((int64_t)1 << shift), most = ((int64_t)hi + 1) * ((int64_t)1 << shift);
    if (sum < least) {
        return lo;
    }
    if (sum >= most) {
        return hi;
    }
    if (shift >= 32) {
        return (int32_t)(sum >> 32) >> (shift - 32);
    }
    /* Two halves: the compiler's 64-bit shift is a call. */
    return (int32_t)((uint32_t)(uint64_t)sum >> shift
                     | (uint32_t)((uint64_t)sum >> 32) << 1 << (31 - shift));
}

#endif
