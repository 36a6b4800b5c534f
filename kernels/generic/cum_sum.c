/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_cum_sum
#define X_T float
#define Y_T float
#define SUM_T float
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

/* Running sums along an axis of `size`, from its end if `reverse`, without the element itself if `exclusive`. */
void TW_KERNEL(const X_T *x, Y_T *y, int32_t outer, int32_t size, int32_t inner, int exclusive, int reverse)
{
    for (int32_t o = 0; o < outer; o++) {
        for (int32_t j = 0; j < inner; j++) {
            SUM_T sum = 0;
            for (int32_t i = 0; i < size; i++) {
                const ptrdiff_t at = (ptrdiff_t)(reverse ? size - 1 - i : i) * inner + j;
                const SUM_T next = sum + (SUM_T)x[at];
                y[at] = (Y_T)(exclusive ? sum : next);
                sum = next;
            }
        }
        x += (ptrdiff_t)size * inner;
        y += (ptrdiff_t)size * inner;
    }
}
