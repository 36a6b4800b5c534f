/*
 * Rows of an integer softmax whose exponentials are in a table by the distance from the largest byte.
 */
#ifndef TW_SOFTMAX_H
#define TW_SOFTMAX_H

#include <stdint.h>

#define TW_BYTE(x, i, is_signed) ((is_signed) ? (int32_t)((const int8_t *)(x))[i] : (int32_t)((const uint8_t *)(x))[i])

static inline int32_t tw_largest(const void *x, int32_t n, int is_signed)
{
    int32_t max = TW_BYTE(x, 0, is_signed);
    for (int32_t i = 1; i < n; i++) {
        const int32_t v = TW_BYTE(x, i, is_signed);
        max = v > max ? v : max;
    }
    return max;
}

static inline uint32_t tw_sum_of(const void *x, int32_t n, int32_t max, const uint32_t *table, int is_signed)
{
    uint32_t sum = 0;
    for (int32_t i = 0; i < n; i++) {
        sum += table[max - TW_BYTE(x, i, is_signed)];
    }
    return sum;
}

static inline void tw_shares(const void *x, uint8_t *y, int32_t n, int32_t max, const uint32_t *table, uint32_t top,
                             uint32_t sum, int is_signed)
{
    for (int32_t i = 0; i < n; i++) {
        y[i] = (uint8_t)(table[max - TW_BYTE(x, i, is_signed)] * top / sum);
    }
}

#endif
