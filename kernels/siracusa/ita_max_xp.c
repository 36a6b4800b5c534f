/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_ita_max_xp
#define X_T int8_t
#define X_MIN INT8_MIN
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include "tw_cluster.h"
#include "tw_rows.h"
#include "tw_xpulp.h"

/* The exponents that stand for four distances of 0 to 255: (distance + 16) >> 5, up to 8. */
TW_ALWAYS_INLINE uint32_t tw_exponents(uint32_t distances)
{
    return tw_srl_b(tw_add_b(tw_srl_b(distances, 0x04040404u), 0x01010101u), 0x01010101u);
}

/* Four bytes, each shifted by its exponent, in two steps: the instruction knows shifts up to 7. */
TW_ALWAYS_INLINE uint32_t tw_shifted(uint32_t bytes, uint32_t exponents)
{
    const uint32_t half = tw_srl_b(exponents, 0x01010101u);
    return tw_srl_b(tw_srl_b(bytes, half), tw_sub_b(exponents, half));
}

static inline uint32_t tw_exponent(int32_t distance)
{
    return (uint32_t)(distance + 16) >> 5;
}

/* The sum of 256 >> exponent over n elements: twice 128 >> exponent, which misses the 1 of an exponent of 8. */
static inline uint32_t tw_powers(const X_T *x, int32_t n, int32_t max)
{
    const uint32_t tops = tw_extbz((uint32_t)max) * 0x01010101u;
    uint32_t sum = 0;
    for (; n >= 4; n -= 4, x += 4) {
        const uint32_t e = tw_exponents(tw_sub_b(tops, tw_load_word(x)));
        sum = tw_sdotup_b(sum, tw_shifted(0x80808080u, e), 0x02020202u);
        sum = tw_sdotup_b(sum, tw_srl_b(e, 0x03030303u), 0x01010101u);
    }
    for (; n > 0; n--) {
        sum += UINT32_C(256) >> tw_exponent(max - *x++);
    }
    return sum;
}

/*
 * The softmax of the ITA accelerator of each of `rows` rows of `len` bytes, on all cores, each of which has rows of its own:
 * inv >> exponent with inv = top * 256 / sum, up to 255. The sum is streamed over groups of `width` columns: whenever a group
 * raises the maximum, the sum so far is scaled down. y may be x.
 */
void TW_KERNEL(const X_T *x, uint8_t *y, int32_t rows, int32_t len, int32_t width, uint32_t top)
{
    const struct tw_range part = tw_split((size_t)rows, 1);
    x += (ptrdiff_t)part.begin * len;
    y += (ptrdiff_t)part.begin * len;
    for (size_t r = part.begin; r < part.end; r++, x += len, y += len) {
        int32_t max = x[0], i, n;
        uint32_t sum = 0, inv, tops;
        for (i = 0; i < len; i += n) {
            int32_t peak;
            n = len - i > width ? width : len - i;
            peak = tw_row_largest((const uint8_t *)(x + i), n, X_MIN < 0);
            if (peak > max) {
                sum >>= tw_exponent(peak - max);
                max = peak;
            }
            sum += tw_powers(x + i, n, max);
        }
        inv = top * 256u / sum;
        tops = tw_extbz((uint32_t)max) * 0x01010101u;
        for (i = 0; i + 4 <= len; i += 4) {
            tw_store_word(y + i, tw_shifted(inv * 0x01010101u, tw_exponents(tw_sub_b(tops, tw_load_word(x + i)))));
        }
        for (; i < len; i++) {
            y[i] = (uint8_t)(inv >> tw_exponent(max - x[i]));
        }
    }
}
