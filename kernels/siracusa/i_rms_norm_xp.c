/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_i_rms_norm_xp
#define X_T int8_t
#define X_MIN INT8_MIN
#define W_T int32_t
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include "tw_cluster.h"
#include "tw_rows.h"

/* Integer RMS normalisation of each of `rows` rows of `len` elements, on all cores: clip(((x * w) / std) >> shift, lo, hi)
 * with std = isqrt(sum(x^2) / len + 1). There is one weight (step 0) or one for each element of a row (step 1). Cores
 * share rows too: each one sums those it has elements of. y is not x. */
void TW_KERNEL(const X_T *x, const W_T *weight, int8_t *y, int32_t rows, int32_t len, int32_t weight_step, int shift,
               int32_t lo, int32_t hi)
{
    const struct tw_range part = tw_split((size_t)rows * (size_t)len, 4);
    int32_t at = (int32_t)part.begin, row = at / len, first = at - row * len;
    while (at < (int32_t)part.end) {
        const X_T *px = x + (ptrdiff_t)row * len;
        const int32_t rest = (int32_t)part.end - at, end = len - first < rest ? len : first + rest;
        uint32_t sum, squares, std, reciprocal;
        tw_row_sums((const uint8_t *)px, len, X_MIN < 0, &sum, &squares);
        std = tw_root(squares / (uint32_t)len + 1u);
        reciprocal = tw_reciprocal(std);
        at += end - first;
        for (int32_t i = first; i < end; i++) {
            const int64_t q = tw_quotient(px[i], (int32_t)weight[i * weight_step], std, reciprocal) >> shift;
            y[(ptrdiff_t)row * len + i] = (int8_t)(q < lo ? lo : q > hi ? hi : q);
        }
        row++;
        first = 0;
    }
}
