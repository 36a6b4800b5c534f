/* The largest integer whose square is not above v, bit by bit. */
#ifndef TW_ISQRT_H
#define TW_ISQRT_H

#include <stdint.h>

static inline uint32_t tw_isqrt(uint64_t v)
{
    uint64_t root = 0;
    uint64_t bit = UINT64_C(1) << 62;
    while (bit > v) {
        bit >>= 2;
    }
    while (bit != 0) {
        if (v >= root + bit) {
            v -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
        bit >>= 2;
    }
    return (uint32_t)root;
}

#endif
