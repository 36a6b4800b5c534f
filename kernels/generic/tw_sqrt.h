/*
 * The square root of a float. Where floating point is software the library's has ways of its own for operands without a root,
 * which need more stack than all others; this one does not.
 */
#ifndef TW_SQRT_H
#define TW_SQRT_H

#include <math.h>

#if defined(__riscv) && !defined(__riscv_flen)

#include <stdint.h>
#include <string.h>

/* Correctly rounded: the root of the significand bit by bit, and a bit more to round. */
static float tw_sqrtf(float x)
{
    uint32_t bits, rest, root = 0, twice = 0;
    int32_t exponent;
    memcpy(&bits, &x, sizeof bits);
    if (bits << 1 == 0 || bits << 1 > 0xff000000u || bits == 0x7f800000u) {
        return x; /* zeros, no numbers, infinity */
    }
    if (bits >> 31 != 0) {
        bits = 0x7fc00000u;
        memcpy(&x, &bits, sizeof x);
        return x;
    }
    exponent = (int32_t)(bits >> 23);
    rest = bits & 0x7fffffu;
    if (exponent > 0) {
        rest |= 0x800000u;
    } else {
        for (exponent = 1; rest < 0x800000u; exponent--) {
            rest <<= 1;
        }
    }
    exponent -= 127;
    rest <<= 1 + (exponent & 1);
    exponent = (exponent - (exponent & 1)) / 2;
    for (uint32_t bit = 0x1000000u; bit != 0; bit >>= 1, rest <<= 1) {
        const uint32_t trial = twice + bit;
        if (trial <= rest) {
            twice = trial + bit;
            rest -= trial;
            root += bit;
        }
    }
    root += rest != 0 ? root & 1u : 0u;
    bits = (root >> 1) + 0x3f000000u + ((uint32_t)exponent << 23);
    memcpy(&x, &bits, sizeof x);
    return x;
}

#else

#define tw_sqrtf sqrtf

#endif

#endif
