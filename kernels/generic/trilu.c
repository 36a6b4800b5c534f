/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_trilu
#define X_T float
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

/* Keeps the elements of matrices from diagonal k on upwards (`upper`) or up to it, and zeroes the rest; y may be x. */
void TW_KERNEL(const X_T *x, X_T *y, int32_t outer, int32_t rows, int32_t columns, int upper, int64_t k)
{
    for (int32_t o = 0; o < outer; o++) {
        for (int32_t i = 0; i < rows; i++) {
            for (int32_t j = 0; j < columns; j++) {
                const int64_t diagonal = (int64_t)j - i;
                const int keep = upper ? diagonal >= k : diagonal <= k;
                const X_T v = *x++;
                *y++ = keep ? v : (X_T)0;
            }
        }
    }
}
