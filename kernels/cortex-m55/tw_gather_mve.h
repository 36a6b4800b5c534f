/*
 * Taps of eight results of neighbouring windows with few channels.
 */
#ifndef TW_GATHER_MVE_H
#define TW_GATHER_MVE_H

#include <arm_mve.h>
#include <stdint.h>

#include "tw_taps.h"

/* Whether results are gathered: offsets then fit 13 bits, for which the reciprocal of the channels is exact. */
static inline int tw_gathers(int32_t windows, const struct tw_window *at)
{
    const int32_t last = windows * (at->next > at->channels ? at->next : at->channels);
    return at->channels < 8 && windows > 1 && at->rows > 0 && at->columns > 0 && last < 8192;
}

/* Where the first taps of results e to e + 7 lie; those of a window are `channels`. */
static inline uint16x8_t tw_offsets(int32_t e, const struct tw_window *at)
{
    const uint16x8_t i = vidupq_n_u16((uint32_t)e, 1);
    const int32_t skip = at->next - at->channels;
    if (at->channels == 1) {
        return vmulq_n_u16(i, (uint16_t)at->next);
    }
    return vmlaq_n_u16(i, vmulhq_u16(i, vdupq_n_u16((uint16_t)(65536 / at->channels + 1))), (uint16_t)skip);
}

/* sum = instruction(sum, tap) for the rows by columns taps of eight results at x. */
#define TW_GATHER(s, instruction, sum)                                                                                \
    {                                                                                                                 \
        const uint8_t *row = x, *at_tap;                                                                              \
        int32_t rows_left = window->rows;                                                                             \
        uint16x8_t byte;                                                                                              \
        __asm__("2: mov %[tap], %[at]\n"                                                                              \
                "dls lr, %[columns]\n"                                                                                \
                "1: vldrb." s "16 %q[v], [%[tap], %q[o]]\n"                                                           \
                "add %[tap], %[tap], %[step]\n" instruction " %q[to], %q[to], %q[v]\n"                                \
                "le lr, 1b\n"                                                                                         \
                "add %[at], %[at], %[row_step]\n"                                                                     \
                "subs %[rows], %[rows], #1\n"                                                                         \
                "bne 2b\n"                                                                                            \
                : [to] "+w"(sum), [v] "=&w"(byte), [at] "+r"(row), [tap] "=&r"(at_tap), [rows] "+r"(rows_left)        \
                : [columns] "r"(window->columns), [step] "r"(window->step), [row_step] "r"(window->row_step),         \
                  [o] "w"(offsets)                                                                                    \
                : "lr", "memory", "cc");                                                                              \
    }

#endif
