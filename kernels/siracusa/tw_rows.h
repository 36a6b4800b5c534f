/*
 * What normalisations of rows of bytes share: sums of rows four bytes at a time, roots, quotients without divisions.
 */
#ifndef TW_ROWS_H
#define TW_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "tw_xpulp.h"

/* Sums of n bytes and of their squares, modulo 2^32. */
static inline void tw_row_sums(const uint8_t *x, int32_t n, int is_signed, uint32_t *sum, uint32_t *squares)
{
    uint32_t s = 0, q = 0;
    int32_t i = n;
    for (; i >= 4; i -= 4, x += 4) {
        const uint32_t word = tw_load_word(x);
        s = is_signed ? tw_sdotsp_b(s, word, 0x01010101u) : tw_sdotup_b(s, word, 0x01010101u);
        q = is_signed ? tw_sdotsp_b(q, word, word) : tw_sdotup_b(q, word, word);
    }
    for (; i > 0; i--, x++) {
        const uint32_t v = is_signed ? tw_extbs(*x) : *x;
        s += v;
        q += v * v;
    }
    *sum = s;
    *squares = q;
}

/* The largest of n bytes, at least one. */
static inline int32_t tw_row_largest(const uint8_t *x, int32_t n, int is_signed)
{
    uint32_t max = is_signed ? tw_extbs(*x) : *x;
    int32_t i = 0;
    if (n >= 8) {
        uint32_t lanes = tw_load_word(x);
        for (i = 4; i + 4 <= n; i += 4) {
            lanes = is_signed ? tw_max_b(lanes, tw_load_word(x + i)) : tw_maxu_b(lanes, tw_load_word(x + i));
        }
        for (int lane = 0; lane < 4; lane++, lanes >>= 8) {
            max = tw_max(max, is_signed ? tw_extbs(lanes) : tw_extbz(lanes));
        }
    }
    for (; i < n; i++) {
        max = tw_max(max, is_signed ? tw_extbs(x[i]) : x[i]);
    }
    return tw_signed(max);
}

/* The mean of whole numbers, rounded to nearest, halves up. */
static inline int32_t tw_mean(int32_t sum, int32_t count)
{
    const int32_t twice = 2 * sum + count, quotient = twice / (2 * count);
    return quotient - (quotient * 2 * count > twice);
}

/* The largest number whose square is not above v; v below 2^18. */
static inline uint32_t tw_root(uint32_t v)
{
    uint32_t root = 0;
    for (uint32_t bit = UINT32_C(1) << 16; bit != 0; bit >>= 2) {
        const uint32_t with = root + bit;
        root >>= 1;
        if (v >= with) {
            v -= with;
            root += bit;
        }
    }
    return root;
}

/* What tw_quotient needs of a divisor: 2^32 / divisor, rounded up (0 for 1). */
static inline uint32_t tw_reciprocal(uint32_t divisor)
{
    return divisor == 1 ? 0 : UINT32_MAX / divisor + 1;
}

/*
 * Division by 4 .. 256 without dividing: with 2^(s + 2) <= divisor < 2^(s + 3) and the factor, a little above
 * 2^(32 + s) / divisor, floor(a * factor / 2^(32 + s)) is a / divisor for 0 <= a < 2^29, rounded down, and one below it,
 * rounded up, for -2^29 < a < 0.
 */
struct tw_divisor {
    uint32_t factor;
    uint32_t s;
};

static inline struct tw_divisor tw_divisor(uint32_t divisor)
{
    const uint32_t s = tw_fl1(divisor) - 2, quotient = UINT32_MAX / divisor;
    /* Of 2^32, which is one more: it may be the divisor. */
    const uint32_t remainder = UINT32_MAX - quotient * divisor + 1;
    const struct tw_divisor d = {(quotient << s) + (remainder << s) / divisor + 1, s};
    return d;
}

/*
 * a * b / divisor, rounded towards zero; divisor is 1 .. 256. With m = ceil(2^32 / d), n * m / 2^32 is n / d for n below
 * 2^32 / d; larger products are divided.
 */
static inline int64_t tw_quotient(int32_t a, int32_t b, uint32_t divisor, uint32_t reciprocal)
{
    const int64_t product = (int64_t)a * b;
    const int32_t narrow = tw_signed((uint32_t)(uint64_t)product);
    const uint32_t magnitude = tw_abs((uint32_t)narrow);
    uint32_t quotient;
    if (narrow != product) {
        return product / (int32_t)divisor;
    }
    if (magnitude >> 24 != 0) {
        return narrow / (int32_t)divisor;
    }
    quotient = reciprocal == 0 ? magnitude : (uint32_t)(((uint64_t)magnitude * reciprocal) >> 32);
    return narrow < 0 ? -(int32_t)quotient : (int32_t)quotient;
}

#endif
