/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_strided_mve
#define X_T int8_t
#endif
/* tilewright: end */
#include <arm_mve.h>
#include <stdint.h>

#include "tw_loops.h"

/* n bytes, so many from one to the next, to places that lie apart too: eight at a time where places fit 16 bits. */
static inline void move(const X_T *x, int32_t x_step, X_T *y, int32_t y_step, int32_t n)
{
    if (x_step <= 9362 && y_step <= 9362) {
        const uint16x8_t eight = vidupq_n_u16(0, 1);
        uint16x8_t v;
        __asm__ volatile("dlstp.16 lr, %[n]\n"
                         "1: vldrb.u16 %q[v], [%[x], %q[from]]\n"
                         "vstrb.16 %q[v], [%[y], %q[to]]\n"
                         "add %[x], %[x], %[x_step]\n"
                         "add %[y], %[y], %[y_step]\n"
                         "letp lr, 1b\n"
                         : [x] "+l"(x), [v] "=&w"(v), [y] "+l"(y)
                         : [n] "r"(n), [from] "w"(vmulq_n_u16(eight, (uint16_t)x_step)),
                           [to] "w"(vmulq_n_u16(eight, (uint16_t)y_step)), [x_step] "r"(8 * x_step), [y_step] "r"(8 * y_step)
                         : "lr", "memory");
        return;
    }
    for (; n > 0; n--, x += x_step, y += y_step) {
        *y = *x;
    }
}

/* Reads bytes of x from `offset` on over `loops` (at most 8) dimensions, outermost first, each with its step, none negative:
 * along the longer of the last two. */
void TW_KERNEL(const X_T *x, X_T *y, int32_t offset, int32_t loops, const int32_t *dims, const int32_t *strides)
{
    const int32_t last = dims[loops - 1], step = strides[loops - 1], outer = loops > 1 ? loops - 2 : 0;
    const int32_t rows = loops > 1 ? dims[loops - 2] : 1, row = loops > 1 ? strides[loops - 2] : 0;
    int32_t index[8] = {0};
    int32_t at = offset;
    do {
        if (rows > last) {
            for (int32_t i = 0; i < last; i++) {
                move(x + at + i * step, row, y + i, last, rows);
            }
        } else {
            for (int32_t i = 0; i < rows; i++) {
                move(x + at + i * row, step, y + i * last, 1, last);
            }
        }
        y += rows * last;
    } while (tw_next(outer, dims, index, strides, &at));
}
