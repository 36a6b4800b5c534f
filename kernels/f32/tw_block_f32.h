/*
 * Windows of floats times a block of channels.
 */
#ifndef TW_BLOCK_F32_H
#define TW_BLOCK_F32_H

#include <stddef.h>
#include <stdint.h>

#include "tw_fma.h"
#include "tw_windows.h"

#define TW_PIXELS 4
#define TW_CHANNELS 4

static inline void tw_store(float *y, float v, const struct tw_windows *at)
{
    *y = v < at->lo ? at->lo : v > at->hi ? at->hi : v;
}

/* A window's four sums, kept apart so that they stay in registers. */
#define TW_SUMS(s) float s##0 = bias0, s##1 = bias1, s##2 = bias2, s##3 = bias3
#define TW_ADD(s, x)                                                                                                  \
    {                                                                                                                 \
        const float u = *(x)++;                                                                                       \
        s##0 = TW_FMA(u, w0, s##0);                                                                                   \
        s##1 = TW_FMA(u, w1, s##1);                                                                                   \
        s##2 = TW_FMA(u, w2, s##2);                                                                                   \
        s##3 = TW_FMA(u, w3, s##3);                                                                                   \
    }
#define TW_STORE(s, y)                                                                                                \
    {                                                                                                                 \
        float *const to = (y);                                                                                        \
        tw_store(to, s##0, at);                                                                                       \
        if (channels > 1) {                                                                                           \
            tw_store(to + 1, s##1, at);                                                                               \
        }                                                                                                             \
        if (channels > 2) {                                                                                           \
            tw_store(to + 2, s##2, at);                                                                               \
        }                                                                                                             \
        if (channels > 3) {                                                                                           \
            tw_store(to + 3, s##3, at);                                                                               \
        }                                                                                                             \
    }

/* Up to four channels of one, two or four windows. */
static inline void tw_sums(const float *x, int pixels, const float *w, const float *bias, float *y, int32_t channels,
                           const struct tw_windows *at)
{
    const float bias0 = bias != NULL ? bias[0] : 0.0f, bias1 = bias != NULL && channels > 1 ? bias[1] : 0.0f;
    const float bias2 = bias != NULL && channels > 2 ? bias[2] : 0.0f;
    const float bias3 = bias != NULL && channels > 3 ? bias[3] : 0.0f;
    const float *x1 = x + at->next, *x2 = x1 + at->next, *x3 = x2 + at->next;
    TW_SUMS(a);
    TW_SUMS(b);
    TW_SUMS(c);
    TW_SUMS(d);
    for (int32_t rows = at->rows; rows > 0; rows--) {
        for (int32_t i = at->run; i > 0; i--) {
            const float w0 = w[0], w1 = w[1], w2 = w[2], w3 = w[3];
            w += 4;
            TW_ADD(a, x)
            if (pixels > 1) {
                TW_ADD(b, x1)
            }
            if (pixels > 2) {
                TW_ADD(c, x2)
                TW_ADD(d, x3)
            }
        }
        w += at->w_skip;
        x += at->x_skip;
        x1 += at->x_skip;
        x2 += at->x_skip;
        x3 += at->x_skip;
    }
    TW_STORE(a, y)
    if (pixels > 1) {
        TW_STORE(b, y + at->y_next)
    }
    if (pixels > 2) {
        TW_STORE(c, y + 2 * at->y_next)
        TW_STORE(d, y + 3 * at->y_next)
    }
}

/* Up to four channels of up to four windows. */
static inline void tw_block(const float *x, int32_t pixels, const float *w, const float *bias, float *y, int32_t channels,
                            const struct tw_windows *at)
{
    if (pixels == 4) {
        tw_sums(x, 4, w, bias, y, channels, at);
        return;
    }
    if (pixels > 1) {
        tw_sums(x, 2, w, bias, y, channels, at);
    }
    if (pixels != 2) {
        const int32_t last = pixels - 1;
        tw_sums(x + last * at->next, 1, w, bias, y + last * at->y_next, channels, at);
    }
}

#undef TW_SUMS
#undef TW_ADD
#undef TW_STORE

#endif
