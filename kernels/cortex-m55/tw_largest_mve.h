/*
 * Largest bytes of a window, sixteen channels at a time; with few channels, those of eight results.
 */
#ifndef TW_LARGEST_MVE_H
#define TW_LARGEST_MVE_H

#include <arm_mve.h>
#include <stdint.h>

#include "tw_gather_mve.h"

/* The least byte. */
struct tw_count {
    uint8_t least;
};

static inline struct tw_count tw_count_of(int32_t count, int is_signed)
{
    const struct tw_count c = {is_signed ? 0x80 : 0};
    (void)count;
    return c;
}

/* rows by columns taps of sixteen channels, of which p are there. */
#define TW_TAPS(s)                                                                                                    \
    __asm__("vmsr p0, %[p]\n"                                                                                         \
            "2: mov %[tap], %[at]\n"                                                                                  \
            "dls lr, %[columns]\n"                                                                                    \
            "1: vpst\n"                                                                                               \
            "vldrbt.u8 %q[v], [%[tap]]\n"                                                                             \
            "add %[tap], %[tap], %[step]\n"                                                                           \
            "vmax." s "8 %q[most], %q[most], %q[v]\n"                                                                 \
            "le lr, 1b\n"                                                                                             \
            "add %[at], %[at], %[row_step]\n"                                                                         \
            "subs %[rows], %[rows], #1\n"                                                                             \
            "bne 2b\n"                                                                                                \
            : [most] "+w"(most), [v] "=&w"(v), [at] "+r"(at), [tap] "=&l"(tap), [rows] "+r"(rows)                     \
            : [columns] "r"(window->columns), [step] "r"(window->step), [row_step] "r"(window->row_step),             \
              [p] "r"((uint32_t)p)                                                                                    \
            : "lr", "memory", "cc")

/* For each of the channels, the largest elements of so many windows from x on. */
static __attribute__((noinline)) void tw_pool(const void *x_at, void *y_at, int32_t windows, const struct tw_window *window,
                                              const struct tw_count *count, int is_signed)
{
    const uint8_t *x = x_at;
    uint8_t *y = y_at;
    if (tw_gathers(windows, window)) {
        const uint16x8_t least = vdupq_n_u16(is_signed ? 0xff80u : 0u);
        for (int32_t e = 0, rest = windows * window->channels; rest > 0; e += 8, rest -= 8) {
            const uint16x8_t offsets = tw_offsets(e, window);
            uint16x8_t most = least;
            if (is_signed) {
                TW_GATHER("s", "vmax.s16", most);
            } else {
                TW_GATHER("u", "vmax.u16", most);
            }
            vstrbq_p_u16(y + e, most, vctp16q((uint32_t)rest));
        }
        return;
    }
    for (; windows > 0; windows--, x += window->next, y += window->channels) {
        for (int32_t c = 0, rest = window->channels; rest > 0; c += 16, rest -= 16) {
            const mve_pred16_t p = vctp8q((uint32_t)rest);
            const uint8_t *at = x + c, *tap;
            uint8x16_t most = vdupq_n_u8(count->least), v;
            int32_t rows = window->rows;
            if (is_signed) {
                TW_TAPS("s");
            } else {
                TW_TAPS("u");
            }
            vstrbq_p_u8(y + c, most, p);
        }
    }
}

#undef TW_TAPS

#endif
