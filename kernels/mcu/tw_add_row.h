/* A row of sums, requantised in 32 bits. */
#ifndef TW_ADD_ROW_H
#define TW_ADD_ROW_H

#include <stdint.h>

#include "tw_requant.h"

struct tw_add {
    int32_t mul;
    int32_t add;
    int shift;
    int32_t lo;
    int32_t hi;
};

static inline struct tw_add tw_add_of(int32_t mul, int32_t add, int shift, int32_t lo, int32_t hi)
{
    const struct tw_add s = {mul, add, shift, lo, hi};
    return s;
}

/* n elements; those of a and of b are of the types A and B, and lie side by side or, with a step of 0, are one. */
#define TW_ADD_ROW(A, a, a_step, B, b, b_step, Y, y, n, s)                                                            \
    for (int32_t i = 0; i < (n); i++) {                                                                               \
        const uint32_t sum = (uint32_t)(a)[(a_step) ? i : 0] + (uint32_t)(b)[(b_step) ? i : 0];                       \
        (y)[i] = (Y)tw_requant_32((int32_t)sum, (s).mul, (s).add, (s).shift, (s).lo, (s).hi);                         \
    }

#endif
