/* Division of integers in fixed point. */
#ifndef TW_INTEGER_DIV_H
#define TW_INTEGER_DIV_H

#include <stdint.h>

/* n / d rounded to nearest, modulo 2^32, with n = numerator * num and d = eta * den + eps; 0 where d is 0. */
static inline int32_t tw_integer_quotient(int64_t num, int64_t den, int64_t numerator, int64_t eta, int64_t eps)
{
    const int64_t n = numerator * num;
    const int64_t by = eta * den + eps;
    const int64_t half = by >> 1;
    const int64_t rounded = n > 0 ? n + half : n < 0 ? n - half : 0;
    return by == 0 ? 0 : (int32_t)(uint32_t)(rounded / by);
}

#endif
