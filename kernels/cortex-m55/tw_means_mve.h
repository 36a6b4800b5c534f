/*
 * Means of bytes over a window, sixteen channels at a time; with few channels, those of eight results.
 */
#ifndef TW_MEANS_MVE_H
#define TW_MEANS_MVE_H

#include <arm_mve.h>
#include <stdint.h>

#include "tw_gather_mve.h"

/* What `count` divides by: v * factor >> 16 >> shift is v / count for every v up to 255.5 * count, 128 * 255.5 at most. */
struct tw_count {
    uint16_t first; /* half a count, and what makes sums of signed bytes positive */
    uint16_t factor;
    int32_t left; /* the shift, negative */
    uint16_t turn; /* 128, which first has added to every tap */
};

static inline struct tw_count tw_count_of(int32_t count, int is_signed)
{
    const uint32_t middle = is_signed ? 128u * (uint32_t)count : 0u;
    int32_t shift = 0;
    while (2 << shift < count) {
        shift++;
    }
    /* One would divide by 1 + 1 / 65535. */
    const struct tw_count c = {(uint16_t)(middle + (count > 1 ? (uint32_t)count >> 1 : 1u)),
                               (uint16_t)(count > 1 ? (65536u << shift) / (uint32_t)count + 1u : 65535u), -shift,
                               is_signed ? 128 : 0};
    return c;
}

static inline uint16x8_t tw_mean_of(uint16x8_t sum, const struct tw_count *count)
{
    return vsubq_n_u16(vshlq_r_u16(vmulhq_u16(sum, vdupq_n_u16(count->factor)), count->left), count->turn);
}

/* rows by columns taps of sixteen channels, the last eight of them where p says so, if `t`; `s` or `u` says which. */
#define TW_TAPS_16(s, vpst, t)                                                                                        \
    __asm__("vmsr p0, %[p]\n"                                                                                         \
            "2: mov %[tap], %[at]\n"                                                                                  \
            "dls lr, %[columns]\n"                                                                                    \
            "1: vldrb." s "16 %q[v], [%[tap]]\n" vpst "vldrb" t "." s "16 %q[w], [%[tap], #8]\n"                      \
            "vadd.i16 %q[low], %q[low], %q[v]\n"                                                                      \
            "add %[tap], %[tap], %[step]\n"                                                                           \
            "vadd.i16 %q[high], %q[high], %q[w]\n"                                                                    \
            "le lr, 1b\n"                                                                                             \
            "add %[at], %[at], %[row_step]\n"                                                                         \
            "subs %[rows], %[rows], #1\n"                                                                             \
            "bne 2b\n"                                                                                                \
            : [low] "+w"(low), [high] "+w"(high), [v] "=&w"(v), [w] "=&w"(w), [at] "+r"(at), [tap] "=&l"(tap),        \
              [rows] "+r"(left)                                                                                       \
            : [columns] "r"(columns), [step] "r"(step), [row_step] "r"(row_step), [p] "r"((uint32_t)p)                \
            : "lr", "memory", "cc")

/* The same of eight channels at most. */
#define TW_TAPS_8(s)                                                                                                  \
    __asm__("vmsr p0, %[p]\n"                                                                                         \
            "2: mov %[tap], %[at]\n"                                                                                  \
            "dls lr, %[columns]\n"                                                                                    \
            "1: vpst\n"                                                                                               \
            "vldrbt." s "16 %q[v], [%[tap]]\n"                                                                        \
            "add %[tap], %[tap], %[step]\n"                                                                           \
            "vadd.i16 %q[low], %q[low], %q[v]\n"                                                                      \
            "le lr, 1b\n"                                                                                             \
            "add %[at], %[at], %[row_step]\n"                                                                         \
            "subs %[rows], %[rows], #1\n"                                                                             \
            "bne 2b\n"                                                                                                \
            : [low] "+w"(low), [v] "=&w"(v), [at] "+r"(at), [tap] "=&l"(tap), [rows] "+r"(left)                       \
            : [columns] "r"(columns), [step] "r"(step), [row_step] "r"(row_step), [p] "r"((uint32_t)p)                \
            : "lr", "memory", "cc")

/* For each of the channels, the means of so many windows from x on. */
static __attribute__((noinline)) void tw_pool(const void *x_at, void *y_at, int32_t windows, const struct tw_window *window,
                                              const struct tw_count *count, int is_signed)
{
    const struct tw_count by = *count;
    const int32_t rows = window->rows, columns = window->columns, row_step = window->row_step, step = window->step;
    const uint8_t *x = x_at;
    uint8_t *y = y_at;
    if (tw_gathers(windows, window)) {
        for (int32_t e = 0, results = windows * window->channels; results > 0; e += 8, results -= 8) {
            const uint16x8_t offsets = tw_offsets(e, window);
            uint16x8_t sum = vdupq_n_u16(by.first);
            if (is_signed) {
                TW_GATHER("s", "vadd.i16", sum);
            } else {
                TW_GATHER("u", "vadd.i16", sum);
            }
            vstrbq_p_u16(y + e, tw_mean_of(sum, &by), vctp16q((uint32_t)results));
        }
        return;
    }
    for (; windows > 0; windows--, x += window->next, y += window->channels) {
        for (int32_t c = 0, rest = window->channels; rest > 0; c += 16, rest -= 16) {
            const mve_pred16_t p = vctp16q((uint32_t)(rest > 8 ? rest - 8 : rest));
            const uint8_t *at = x + c, *tap;
            uint16x8_t low = vdupq_n_u16(by.first), high = low, v, w;
            int32_t left = rows;
            if (rows > 0 && rest >= 16) {
                if (is_signed) {
                    TW_TAPS_16("s", "", "");
                } else {
                    TW_TAPS_16("u", "", "");
                }
            } else if (rows > 0 && rest > 8) {
                if (is_signed) {
                    TW_TAPS_16("s", "vpst\n", "t");
                } else {
                    TW_TAPS_16("u", "vpst\n", "t");
                }
            } else if (rows > 0) {
                if (is_signed) {
                    TW_TAPS_8("s");
                } else {
                    TW_TAPS_8("u");
                }
            }
            if (rest > 8) {
                vstrbq_u16(y + c, tw_mean_of(low, &by));
                vstrbq_p_u16(y + c + 8, tw_mean_of(high, &by), p);
            } else {
                vstrbq_p_u16(y + c, tw_mean_of(low, &by), p);
            }
        }
    }
}

#undef TW_TAPS_16
#undef TW_TAPS_8

#endif
