/*
 * Largest floats of a window, four channels at a time.
 */
#ifndef TW_LARGEST_F32_MVE_H
#define TW_LARGEST_F32_MVE_H

#include <arm_mve.h>
#include <stdint.h>

#include "tw_taps.h"

struct tw_count {
    int32_t taps;
};

static inline struct tw_count tw_count_of(int32_t count, int is_signed)
{
    const struct tw_count c = {count};
    (void)is_signed;
    return c;
}

/* For each of the channels, the largest elements of so many windows from x on. */
static __attribute__((noinline)) void tw_pool(const void *x_at, void *y_at, int32_t windows, const struct tw_window *window,
                                              const struct tw_count *count, int is_signed)
{
    const float *x = x_at;
    float *y = y_at;
    (void)count;
    (void)is_signed;
    for (; windows > 0; windows--, x += window->next, y += window->channels) {
        for (int32_t c = 0, rest = window->channels; rest > 0; c += 4, rest -= 4) {
            const mve_pred16_t p = vctp32q((uint32_t)rest);
            const float *row = x + c;
            float32x4_t most = vldrwq_z_f32(row, p);
            for (int32_t rows = window->rows; rows > 0; rows--, row += window->row_step) {
                const float *tap = row;
                for (int32_t columns = window->columns; columns > 0; columns--, tap += window->step) {
                    const float32x4_t v = vldrwq_z_f32(tap, p);
                    most = vpselq_f32(v, most, vcmpgtq_f32(v, most));
                }
            }
            vstrwq_p_f32(y + c, most, p);
        }
    }
}

#endif
