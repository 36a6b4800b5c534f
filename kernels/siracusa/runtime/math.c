/* The exponential for a core with fused multiply-add but no double precision: the C library's has twice the error. */
#include <math.h>
#include <stdint.h>

static float power_of_two(int32_t k)
{
    union {
        uint32_t bits;
        float value;
    } power;
    power.bits = (uint32_t)(k + 127) << 23;
    return power.value;
}

/*
 * e^x with at most 0.53 units in the last place of error (0.75 below 2^-126): x = k ln 2 + h + l with |h| < 0.35 and a
 * small remainder l, then 1 + h + h^2 / 2 with the rounding errors of each sum kept, and a polynomial for the rest.
 */
float expf(float x)
{
    /* Adding and subtracting it rounds to an integer. */
    const float integer = 12582912.0f;
    float k, h, l, square, lost, rest, sum, y;
    int32_t n;
    if (!(x < 88.72284f)) {
        return x == x ? INFINITY : x;
    }
    if (x < -103.97208f) {
        return 0.0f;
    }
    k = (x * 1.44269504f + integer) - integer;
    /* The upper part of ln 2 has so few bits that this is exact. */
    rest = fmaf(k, -0.693145752f, x);
    l = k * -1.42860682e-6f;
    h = rest + l;
    l = (rest - h) + l;
    square = h * h;
    lost = fmaf(h, h, -square);
    rest = fmaf(h, 2.48015873e-5f, 1.98412698e-4f);
    rest = fmaf(h, rest, 1.38888889e-3f);
    rest = fmaf(h, rest, 8.33333333e-3f);
    rest = fmaf(h, rest, 4.16666667e-2f);
    rest = fmaf(h, rest, 1.66666667e-1f);
    rest = fmaf(h * square, rest, fmaf(0.5f, lost, fmaf(h, l, l)));
    sum = fmaf(0.5f, square, h);
    rest += fmaf(0.5f, square, h - sum);
    y = 1.0f + sum;
    y += ((1.0f - y) + sum) + rest;
    n = (int32_t)k;
    return y * power_of_two(n / 2) * power_of_two(n - n / 2);
}
