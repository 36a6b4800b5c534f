/* Requantisation of an accumulator: clip((x * mul + add + 2^(shift - 1)) >> shift, lo, hi), exact in 64 bits (modulo
 * 2^64), with an arithmetic shift; for shift 0 nothing is added. */
#ifndef TW_REQUANT_H
#define TW_REQUANT_H

#include <stdint.h>

static inline int32_t tw_requant(int32_t x, int64_t mul, int64_t add, int shift, int32_t lo, int32_t hi)
{
    const uint64_t half = (UINT64_C(1) << shift) >> 1;
    const int64_t sum = (int64_t)((uint64_t)(int64_t)x * (uint64_t)mul + (uint64_t)add + half);
    const int64_t scaled = sum >> shift;
    return scaled < lo ? lo : scaled > hi ? hi : (int32_t)scaled;
}

/* The same where x * mul + add + 2^(shift - 1) is known to lie in 32 bits; shift is at most 31. */
static inline int32_t tw_requant_32(int32_t x, int32_t mul, int32_t add, int shift, int32_t lo, int32_t hi)
{
    const uint32_t half = (UINT32_C(1) << shift) >> 1;
    const int32_t scaled = (int32_t)((uint32_t)x * (uint32_t)mul + (uint32_t)add + half) >> shift;
    return scaled < lo ? lo : scaled > hi ? hi : scaled;
}

#endif
