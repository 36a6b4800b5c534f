/*
 * A row of bytes by four columns, whose sums stay in registers.
 */
#ifndef TW_PRODUCT_ROWS_H
#define TW_PRODUCT_ROWS_H

#include <stdint.h>

#include "tw_apart.h"

/* acc[j] += a, k bytes, by column j of four in rows4. */
#define TW_SUMS(name, type)                                                                                           \
    static TW_APART void name(const type *a, const int8_t *b, int32_t k, uint32_t acc[4])                             \
    {                                                                                                                 \
        uint32_t a0 = acc[0], a1 = acc[1], a2 = acc[2], a3 = acc[3];                                                  \
        for (; k >= 4; k -= 4, a += 4, b += 16) {                                                                     \
            TW_SUM(0)                                                                                                 \
            TW_SUM(1)                                                                                                 \
            TW_SUM(2)                                                                                                 \
            TW_SUM(3)                                                                                                 \
        }                                                                                                             \
        for (int32_t i = 0; i < k; i++) {                                                                             \
            TW_SUM(i)                                                                                                 \
        }                                                                                                             \
        acc[0] = a0;                                                                                                  \
        acc[1] = a1;                                                                                                  \
        acc[2] = a2;                                                                                                  \
        acc[3] = a3;                                                                                                  \
    }
#define TW_SUM(i)                                                                                                     \
    {                                                                                                                 \
        const int32_t v = a[i];                                                                                       \
        a0 += (uint32_t)(v * b[i]);                                                                                   \
        a1 += (uint32_t)(v * b[4 + i]);                                                                               \
        a2 += (uint32_t)(v * b[8 + i]);                                                                               \
        a3 += (uint32_t)(v * b[12 + i]);                                                                              \
        TW_STEP_ENDS;                                                                                                 \
    }

TW_SUMS(tw_sums_signed, int8_t)
TW_SUMS(tw_sums_unsigned, uint8_t)

#undef TW_SUMS
#undef TW_SUM

static inline void tw_sums(const void *a, const int8_t *b, int32_t k, uint32_t acc[4], int is_signed)
{
    if (is_signed) {
        tw_sums_signed(a, b, k, acc);
    } else {
        tw_sums_unsigned(a, b, k, acc);
    }
}

#endif
