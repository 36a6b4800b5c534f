/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_round_to
#endif
/* tilewright: end */
#include <math.h>
#include <stdint.h>
#include <string.h>

/* The nearest number of a shorter float type, half to even, for each of n numbers. The type has `drop` bits of
 * fraction fewer; below `normal` its steps are 2^-24; beyond `largest` there is only infinity (both are the bits of
 * a float). y may be x. */
void TW_KERNEL(const float *x, float *y, int32_t n, uint32_t drop, uint32_t normal, uint32_t largest)
{
    const uint32_t infinity = 0x7f800000u;
    for (int32_t i = 0; i < n; i++) {
        float v = x[i];
        uint32_t bits;
        memcpy(&bits, &v, sizeof bits);
        uint32_t size = bits & 0x7fffffffu;
        if (size < normal) {
            /* Floats around a half have steps of 2^-24. */
            const volatile float shifted = fabsf(v) + 0.5f;
            v = copysignf(shifted - 0.5f, v);
        } else if (size <= infinity) {
            size += (1u << (drop - 1u)) - 1u + ((size >> drop) & 1u);
            size &= ~((1u << drop) - 1u);
            size = size > largest ? infinity : size;
            bits = (bits & 0x80000000u) | size;
            memcpy(&v, &bits, sizeof v);
        }
        y[i] = v;
    }
}
