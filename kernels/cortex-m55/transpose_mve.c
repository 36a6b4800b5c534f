/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_transpose_mve
#define X_T int8_t
#endif
/* tilewright: end */
#include <arm_mve.h>
#include <stddef.h>
#include <stdint.h>

/* y [rows, columns] of x, bytes, whose columns have their elements side by side and lie `column_step` bytes apart: eight at a
 * time. */
void TW_KERNEL(const X_T *x, X_T *y, int32_t rows, int32_t columns, int32_t row_step, int32_t column_step)
{
    const uint16x8_t places = vmulq_n_u16(vidupq_n_u16(0, 1), (uint16_t)columns);
    (void)row_step;
    for (int32_t c = 0; c < columns; c++, y++, x += column_step) {
        const X_T *from = x;
        X_T *to = y;
        uint16x8_t v;
        __asm__ volatile("dlstp.16 lr, %[rows]\n"
                         "1: vldrb.u16 %q[v], [%[from]], #8\n"
                         "vstrb.16 %q[v], [%[to], %q[places]]\n"
                         "add %[to], %[to], %[step]\n"
                         "letp lr, 1b\n"
                         : [from] "+l"(from), [to] "+l"(to), [v] "=&w"(v)
                         : [rows] "r"(rows), [places] "w"(places), [step] "r"(8 * columns)
                         : "lr", "memory");
    }
}
