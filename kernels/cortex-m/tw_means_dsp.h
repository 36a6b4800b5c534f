/*
 * Means of bytes over a window, four channels at a time.
 */
#ifndef TW_MEANS_DSP_H
#define TW_MEANS_DSP_H

#include <stdint.h>

#include "tw_dsp.h"

/* C divides towards zero; the mean is rounded down. */
static inline uint8_t tw_mean(uint32_t sum, int32_t count, int is_signed)
{
    const int32_t all = (is_signed ? (int32_t)(int16_t)(uint16_t)sum : (int32_t)(sum & 0xffffu)) + (count >> 1);
    const int32_t down = all / count;
    return (uint8_t)(down - (all - down * count < 0));
}

/* For each of the channels, a multiple of four: the mean of rows by columns taps, row_step and step bytes apart from x on;
 * the sum, of 16 bits, counts as that of `count`. */
static inline void tw_means(const void *x_at, void *y_at, int32_t channels, int32_t rows, int32_t columns, int32_t row_step,
                            int32_t step, int32_t count, int is_signed)
{
    const uint8_t *x = x_at;
    uint8_t *y = y_at;
    for (int32_t c = 0; c < channels; c += 4, x += 4, y += 4) {
        uint32_t even = 0, odd = 0;
        for (int32_t row = 0; row < rows; row++) {
            const uint8_t *tap = x + row * row_step;
            for (int32_t left = columns; left > 0; left--, tap += step) {
                const uint32_t v = tw_word(tap);
                even = tw_add_even(even, v, is_signed);
                odd = tw_add_odd(odd, v, is_signed);
            }
        }
        y[0] = tw_mean(even, count, is_signed);
        y[1] = tw_mean(odd, count, is_signed);
        y[2] = tw_mean(even >> 16, count, is_signed);
        y[3] = tw_mean(odd >> 16, count, is_signed);
    }
}

#endif
