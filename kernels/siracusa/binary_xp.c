/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_binary_xp
#define A_T float
#define B_T float
#define Y_T float
#define WORK_T float
#define OP v + w
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include "tw_cluster.h"
#include "tw_xpulp.h"

/* A function of two numbers (widened to WORK_T first), on all cores: `rows` rows of `len` elements; operands have a step from
 * row to row and one from element to element, 0 where they
 * repeat (but not both along a row). y may be an operand of its own size. */

TW_ALWAYS_INLINE Y_T apply(WORK_T v, WORK_T w)
{
    return OP;
}

/* Four at a time, so that no function waits for its operands; `a_step` and `b_step` are constants. */
TW_ALWAYS_INLINE void run(const A_T *a, ptrdiff_t a_step, const B_T *b, ptrdiff_t b_step, Y_T *y, int32_t n)
{
    for (; n >= 4; n -= 4, a += 4 * a_step, b += 4 * b_step, y += 4) {
        const WORK_T v0 = a[0], v1 = a[a_step], v2 = a[2 * a_step], v3 = a[3 * a_step];
        const WORK_T w0 = b[0], w1 = b[b_step], w2 = b[2 * b_step], w3 = b[3 * b_step];
        y[0] = apply(v0, w0);
        y[1] = apply(v1, w1);
        y[2] = apply(v2, w2);
        y[3] = apply(v3, w3);
    }
    for (; n > 0; n--, a += a_step, b += b_step, y++) {
        *y = apply((WORK_T)*a, (WORK_T)*b);
    }
}

void TW_KERNEL(const A_T *a, const B_T *b, Y_T *y, int32_t rows, int32_t len, int32_t a_row, int32_t a_step,
               int32_t b_row, int32_t b_step)
{
    const struct tw_range part = tw_split((size_t)rows * (size_t)len, 4);
    int32_t at = (int32_t)part.begin, row = tw_divide(at, len), first = at - row * len;
    for (; at < (int32_t)part.end; row++, first = 0) {
        const int32_t rest = (int32_t)part.end - at, count = len - first < rest ? len - first : rest;
        const A_T *pa = a + (ptrdiff_t)row * a_row + (ptrdiff_t)first * a_step;
        const B_T *pb = b + (ptrdiff_t)row * b_row + (ptrdiff_t)first * b_step;
        if (a_step == 0) {
            run(pa, 0, pb, 1, y + at, count);
        } else if (b_step == 0) {
            run(pa, 1, pb, 0, y + at, count);
        } else {
            run(pa, 1, pb, 1, y + at, count);
        }
        at += count;
    }
}
