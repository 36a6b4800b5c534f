/*
 * Means of bytes over a window, eight channels at a time.
 */
#ifndef TW_MEANS_MVE_H
#define TW_MEANS_MVE_H

#include <arm_mve.h>
#include <stdint.h>

/* sum += a row of taps, eight channels of each; where p says so. */
#define TW_ADD_TAPS(s)                                                                                                \
    __asm__("vmsr p0, %[p]\n"                                                                                         \
            "dls lr, %[n]\n"                                                                                          \
            "1: vpst\n"                                                                                               \
            "vldrbt." s "16 %q[v], [%[x]]\n"                                                                          \
            "add %[x], %[x], %[step]\n"                                                                               \
            "vadd.i16 %q[sum], %q[sum], %q[v]\n"                                                                      \
            "le lr, 1b\n"                                                                                             \
            : [sum] "+w"(sum), [v] "=&w"(v), [x] "+l"(tap)                                                            \
            : [n] "r"(columns), [step] "r"(step), [p] "r"((uint32_t)p)                                                \
            : "lr", "memory", "cc")

/* For each of the channels: the mean of rows by columns taps, row_step and step bytes apart from x on; the sum, of 16 bits,
 * counts as that of `count`. */
static inline void tw_means(const void *x_at, void *y_at, int32_t channels, int32_t rows, int32_t columns, int32_t row_step,
                            int32_t step, int32_t count, int is_signed)
{
    const uint8_t *x = x_at;
    uint8_t *y = y_at;
    for (int32_t c = 0; c < channels; c += 8) {
        const mve_pred16_t p = vctp16q((uint32_t)(channels - c));
        int16x8_t sum = vdupq_n_s16(0), v;
        int16_t sums[8];
        for (int32_t row = 0; row < rows; row++) {
            const uint8_t *tap = x + row * row_step + c;
            if (is_signed) {
                TW_ADD_TAPS("s");
            } else {
                TW_ADD_TAPS("u");
            }
        }
        vstrhq_s16(sums, sum);
        for (int32_t j = 0; j < 8 && c + j < channels; j++) {
            /* C divides towards zero; the mean is rounded down. */
            const int32_t all = sums[j] + (count >> 1), mean = all / count;
            y[c + j] = (uint8_t)(mean - (all - mean * count < 0));
        }
    }
}

#endif
