/*
 * A row of bytes by four columns with DSP instructions.
 */
#ifndef TW_PRODUCT_DSP_H
#define TW_PRODUCT_DSP_H

#include "tw_dots.h"

/* acc[j] += a, k bytes, by column j of four in rows4. */
static inline void tw_sums(const void *a, const int8_t *b, int32_t k, uint32_t acc[4], int is_signed)
{
    const uint32_t *w = (const uint32_t *)(const void *)b;
    const int32_t words = k / 4;
    tw_dots_1x4(a, w, words, acc, is_signed);
    if (k % 4 > 0) {
        const uint32_t last = tw_last((const uint8_t *)a + 4 * words, k % 4);
        tw_dots_1x4(&last, w + 4 * words, 1, acc, is_signed);
    }
}

#endif
