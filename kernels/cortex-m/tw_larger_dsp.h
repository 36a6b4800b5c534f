/*
 * The larger of bytes, four at a time.
 */
#ifndef TW_LARGER_DSP_H
#define TW_LARGER_DSP_H

#include <stdint.h>
#include <string.h>

#include "tw_dsp.h"

/* y = max(y, x), n bytes, a multiple of four, or if it is the first time y = x. */
static inline void tw_larger_bytes(const void *x_at, void *y_at, int32_t n, int is_signed, int first)
{
    const uint8_t *x = x_at;
    uint8_t *y = y_at;
    if (first) {
        memcpy(y, x, (size_t)n);
        return;
    }
    for (int32_t c = 0; c < n; c += 4) {
        const uint32_t most = tw_max_4(tw_word(x + c), tw_word(y + c), is_signed);
        memcpy(y + c, &most, sizeof most);
    }
}

#define TW_LARGER(type, x, y, n, first) tw_larger_bytes(x, y, n, (type)-1 < 0, first)

#endif
