/*
 * The larger of elements.
 */
#ifndef TW_LARGER_H_
#define TW_LARGER_H_

#include <stdint.h>

/* y = max(y, x), n elements of a type, or if it is the first time y = x. */
#define TW_LARGER(type, x, y, n, first)                                                                               \
    do {                                                                                                              \
        const type *const tw_x = (x);                                                                                 \
        for (int32_t tw_i = 0; tw_i < (n); tw_i++) {                                                                  \
            (y)[tw_i] = (first) || tw_x[tw_i] > (y)[tw_i] ? tw_x[tw_i] : (y)[tw_i];                                   \
        }                                                                                                             \
    } while (0)

#endif
