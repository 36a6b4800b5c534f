/*
 * Means of bytes over a window, four channels at a time, the last ones each by itself.
 */
#ifndef TW_MEANS_DSP_H
#define TW_MEANS_DSP_H

#include <stdint.h>

#include "tw_dsp.h"
#include "tw_taps.h"

/* What `count` divides by: (v * factor) >> 22 is v / count for every v up to 255.5 * count, 128 * 255.5 at most. */
struct tw_count {
    uint32_t first; /* in both halves: half a count, and what makes sums of signed bytes positive */
    uint32_t factor;
    uint32_t turn; /* the sign bits, which first has turned over */
};

static inline struct tw_count tw_count_of(int32_t count, int is_signed)
{
    const uint32_t first = (uint32_t)(count >> 1) + (is_signed ? 128u * (uint32_t)count : 0u);
    const struct tw_count c = {first | first << 16, (1u << 22) / (uint32_t)count + 1u, is_signed ? 0x80808080u : 0u};
    return c;
}

/* For each of the channels, the means of so many windows from x on. */
static __attribute__((noinline)) void tw_pool(const void *x_at, void *y_at, int32_t windows, const struct tw_window *window,
                                              const struct tw_count *count, int is_signed)
{
    const struct tw_count by = *count;
    const struct tw_window at = *window;
    const uint8_t *x = x_at;
    uint8_t *y = y_at;
    for (; windows > 0; windows--, x += at.next) {
        int32_t c = 0;
        for (; c < at.channels - 3; c += 4, y += 4) {
            uint32_t even = by.first, odd = by.first, v;
            const uint8_t *row = x + c;
            for (int32_t rows = at.rows; rows > 0; rows--, row += at.row_step) {
                const uint8_t *tap = row;
                for (int32_t columns = at.columns; columns > 0; columns--, tap += at.step) {
                    v = tw_word(tap);
                    even = tw_add_even(even, v, is_signed);
                    odd = tw_add_odd(odd, v, is_signed);
                }
            }
            v = (even & 0xffffu) * by.factor >> 22;
            v |= (odd & 0xffffu) * by.factor >> 22 << 8;
            v |= (even >> 16) * by.factor >> 22 << 16;
            v |= (odd >> 16) * by.factor >> 22 << 24;
            v ^= by.turn;
            memcpy(y, &v, sizeof v);
        }
        for (; c < at.channels; c++, y++) {
            uint32_t sum = by.first & 0xffffu;
            const uint8_t *row = x + c;
            for (int32_t rows = at.rows; rows > 0; rows--, row += at.row_step) {
                const uint8_t *tap = row;
                for (int32_t columns = at.columns; columns > 0; columns--, tap += at.step) {
                    sum += is_signed ? (uint32_t)(int8_t)*tap : *tap;
                }
            }
            *y = (uint8_t)((sum * by.factor >> 22) ^ (by.turn & 0xffu));
        }
    }
}

#endif
