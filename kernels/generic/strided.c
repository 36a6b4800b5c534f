/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_strided
#define X_T int8_t
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

/* Reads x from `offset` on over `loops` (at most 8) dimensions, outermost first, each with its step. */
void TW_KERNEL(const X_T *x, X_T *y, int32_t offset, int32_t loops, const int32_t *dims, const int32_t *strides)
{
    const int32_t inner = loops - 1;
    const int32_t n = dims[inner];
    const int32_t step = strides[inner];
    int32_t index[8] = {0};
    int32_t at = offset;
    int32_t d;
    do {
        int32_t from = at;
        for (int32_t i = 0; i < n; i++) {
            *y++ = x[from];
            from += step;
        }
        for (d = inner - 1; d >= 0; d--) {
            at += strides[d];
            if (++index[d] < dims[d]) {
                break;
            }
            at -= strides[d] * dims[d];
            index[d] = 0;
        }
    } while (d >= 0);
}
