/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_lookup_xp
#define X_T int8_t
#define X_MIN INT8_MIN
#define Y_T int8_t
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include "tw_bytes.h"
#include "tw_cluster.h"

/* y = table[byte of x], element by element, on all cores; table and results have bytes. y may be x. */
void TW_KERNEL(const X_T *x, const Y_T *table, Y_T *y, int32_t n)
{
    const struct tw_range part = tw_split((size_t)n, 4);
    tw_map_bytes((const uint8_t *)x + part.begin, (const uint8_t *)table, (uint8_t *)y + part.begin,
                 (int32_t)(part.end - part.begin));
}
