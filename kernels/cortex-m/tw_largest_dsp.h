/*
 * Largest bytes of a window, eight channels at a time, then four, the last ones each by itself.
 */
#ifndef TW_LARGEST_DSP_H
#define TW_LARGEST_DSP_H

#include <stdint.h>

#include "tw_dsp.h"
#include "tw_taps.h"

/* The least bytes. */
struct tw_count {
    uint32_t least;
};

static inline struct tw_count tw_count_of(int32_t count, int is_signed)
{
    const struct tw_count c = {is_signed ? 0x80808080u : 0u};
    (void)count;
    return c;
}

/* For each of the channels, the largest elements of so many windows from x on. */
static __attribute__((noinline)) void tw_pool(const void *x_at, void *y_at, int32_t windows, const struct tw_window *window,
                                              const struct tw_count *count, int is_signed)
{
    const struct tw_window at = *window;
    const uint32_t least = count->least;
    const uint8_t *x = x_at;
    uint8_t *y = y_at;
    for (; windows > 0; windows--, x += at.next) {
        int32_t c = 0;
        for (; c < at.channels - 7; c += 8, y += 8) {
            uint32_t most = least, other = least;
            const uint8_t *row = x + c;
            for (int32_t rows = at.rows; rows > 0; rows--, row += at.row_step) {
                const uint8_t *tap = row;
                for (int32_t columns = at.columns; columns > 0; columns--, tap += at.step) {
                    most = tw_max_4(tw_word(tap), most, is_signed);
                    other = tw_max_4(tw_word(tap + 4), other, is_signed);
                }
            }
            memcpy(y, &most, sizeof most);
            memcpy(y + 4, &other, sizeof other);
        }
        for (; c < at.channels - 3; c += 4, y += 4) {
            uint32_t most = least;
            const uint8_t *row = x + c;
            for (int32_t rows = at.rows; rows > 0; rows--, row += at.row_step) {
                const uint8_t *tap = row;
                for (int32_t columns = at.columns; columns > 0; columns--, tap += at.step) {
                    most = tw_max_4(tw_word(tap), most, is_signed);
                }
            }
            memcpy(y, &most, sizeof most);
        }
        for (; c < at.channels; c++, y++) {
            int32_t most = is_signed ? INT8_MIN : 0;
            const uint8_t *row = x + c;
            for (int32_t rows = at.rows; rows > 0; rows--, row += at.row_step) {
                const uint8_t *tap = row;
                for (int32_t columns = at.columns; columns > 0; columns--, tap += at.step) {
                    const int32_t v = is_signed ? (int8_t)*tap : *tap;
                    most = v > most ? v : most;
                }
            }
            *y = (uint8_t)most;
        }
    }
}

#endif
