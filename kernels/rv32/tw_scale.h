/* Requantisation in 32 bits, where x * mul + add + 2^(shift - 1) is known to lie in them. */
#ifndef TW_SCALE_H
#define TW_SCALE_H

#include <stdint.h>

#include "tw_apart.h"

struct tw_scale {
    const int32_t *mul;
    const int32_t *add;
    int32_t mul_step;
    int32_t add_step;
    int shift;
    int32_t lo;
    int32_t hi;
};

static inline int32_t tw_scaled(const struct tw_scale *s, uint32_t acc, int32_t mul, uint32_t add)
{
    const int32_t v = (int32_t)(acc * (uint32_t)mul + add) >> s->shift;
    return v < s->lo ? s->lo : v > s->hi ? s->hi : v;
}

/* What is added for channel o, with what rounds. */
static inline uint32_t tw_addend(const struct tw_scale *s, int32_t o)
{
    return (uint32_t)s->add[o * s->add_step] + (UINT32_C(1) << s->shift >> 1);
}

#endif
