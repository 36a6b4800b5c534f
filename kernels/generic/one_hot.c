/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_one_hot
#define I_T int64_t
#define Y_T float
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

/* `on` at the index along a new axis of `depth`, `off` elsewhere. Negative indices count from the end. */
void TW_KERNEL(const I_T *indices, Y_T *y, int32_t outer, int32_t depth, int32_t inner, Y_T off, Y_T on)
{
    for (int32_t o = 0; o < outer; o++) {
        for (int32_t k = 0; k < depth; k++) {
            for (int32_t j = 0; j < inner; j++) {
                const int64_t at = (int64_t)indices[j];
                *y++ = (at < 0 ? at + depth : at) == k ? on : off;
            }
        }
        indices += inner;
    }
}
