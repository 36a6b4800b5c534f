/* Elements that are computed one by one, shared by all cores. */
#ifndef TW_MAP_H
#define TW_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "tw_cluster.h"

/* y[i] = of(x[i]) for this core's part of n elements of type `type`: four are loaded before the first is used. */
#define TW_MAP(type, x, y, n, of)                                            \
    do {                                                                     \
        const struct tw_range part_ = tw_split((size_t)(n), 4);              \
        int32_t left_ = (int32_t)(part_.end - part_.begin);                  \
        x += part_.begin;                                                    \
        y += part_.begin;                                                    \
        for (; left_ >= 4; left_ -= 4, x += 4, y += 4) {                     \
            const type a_ = x[0], b_ = x[1], c_ = x[2], d_ = x[3];           \
            y[0] = of(a_);                                                   \
            y[1] = of(b_);                                                   \
            y[2] = of(c_);                                                   \
            y[3] = of(d_);                                                   \
        }                                                                    \
        for (; left_ > 0; left_--) {                                         \
            *y++ = of(*x++);                                                 \
        }                                                                    \
    } while (0)

#endif
