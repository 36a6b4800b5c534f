/* Loops over any number of dimensions. `index` counts along `axes` of them, outermost first, and offsets move by their
 * steps; the functions give 0 once every index was there. */
#ifndef TW_LOOPS_H
#define TW_LOOPS_H

#include <stdint.h>

static inline int tw_next(int32_t axes, const int32_t *dims, int32_t *index, const int32_t *steps, int32_t *at)
{
    for (int32_t d = axes - 1; d >= 0; d--) {
        *at += steps[d];
        if (++index[d] < dims[d]) {
            return 1;
        }
        *at -= steps[d] * dims[d];
        index[d] = 0;
    }
    return 0;
}

static inline int tw_next_pair(int32_t axes, const int32_t *dims, int32_t *index, const int32_t *a_steps, int32_t *a,
                               const int32_t *b_steps, int32_t *b)
{
    for (int32_t d = axes - 1; d >= 0; d--) {
        *a += a_steps[d];
        *b += b_steps[d];
        if (++index[d] < dims[d]) {
            return 1;
        }
        *a -= a_steps[d] * dims[d];
        *b -= b_steps[d] * dims[d];
        index[d] = 0;
    }
    return 0;
}

#endif
