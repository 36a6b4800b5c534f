/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_strided_xp
#define X_T int8_t
#define X_BITS 8
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include "tw_cluster.h"
#include "tw_pack.h"
#include "tw_xpulp.h"

/* Reads x from `offset` on over `loops` (2 to 8) dimensions, outermost first, each with its step, on all cores, which share
 * the rows: what the innermost dimension gives. Elements have 8 or 32 bits. */

/* Rows shorter than this are read together, if they are not copied. */
#define SHORT 8

/* n elements from one step to another. */
TW_ALWAYS_INLINE void row(const X_T *x, ptrdiff_t step, X_T *y, ptrdiff_t y_step, int32_t n)
{
#if TW_XPULP
#if X_BITS == 8
#define LOAD "0x20"
#define STORE "4"
#else
#define LOAD "0x10"
#define STORE "6"
#endif
    uint32_t a, b;
    if ((n & 1) != 0) {
        *y = *x;
        x += step;
        y += y_step;
    }
    if (n > 1) {
        __asm__ volatile(".balign 4\n\t.option push\n\t.option norvc\n\t"
                         ".insn i 0x7b, 4, x0, %[n], 8\n\t" /* lp.setup 0 */
                         ".insn r 0x0b, 7, " LOAD ", %[a], %[x], %[step]\n\t" /* p.lbu, p.lw rd, rs2(rs1!) */
                         ".insn r 0x0b, 7, " LOAD ", %[b], %[x], %[step]\n\t"
                         ".insn r 0x2b, " STORE ", 0, %[to], %[y], %[a]\n\t" /* p.sb, p.sw rs2, r3(rs1!) */
                         ".insn r 0x2b, " STORE ", 0, %[to], %[y], %[b]\n\t"
                         ".option pop\n\t"
                         : [x] "+r"(x), [y] "+r"(y), [a] "=&r"(a), [b] "=&r"(b)
                         : [n] "r"(n >> 1), [step] "r"(step * (ptrdiff_t)sizeof *x), [to] "r"(y_step * (ptrdiff_t)sizeof *y)
                         : "memory");
    }
#else
    for (; n > 0; n--, x += step, y += y_step) {
        *y = *x;
    }
#endif
}

void TW_KERNEL(const X_T *x, X_T *y, int32_t offset, int32_t loops, const int32_t *dims, const int32_t *strides)
{
    const int32_t outer = loops - 1, n = dims[outer], step = strides[outer], bytes = n * (int32_t)sizeof *x;
    int32_t size[8], stride[8], index[8], rows = 1, at;
    struct tw_range part;
    for (int32_t d = 0; d < outer; d++) {
        size[d] = dims[d];
        stride[d] = strides[d];
        rows *= size[d];
    }
    part = tw_split((size_t)rows, 1);
    at = (int32_t)part.begin;
    x += offset;
    y += (ptrdiff_t)at * n;
    for (int32_t d = outer - 1; d >= 0; d--) {
        const int32_t above = tw_divide(at, size[d]);
        index[d] = at - above * size[d];
        x += (ptrdiff_t)index[d] * stride[d];
        at = above;
    }
    int32_t many = 1;
    for (int32_t left = (int32_t)(part.end - part.begin); left > 0; left -= many, y += many * n) {
        int32_t d = outer - 1;
        if (step != 1 && n < SHORT) {
            /* Column by column. */
            many = size[d] - index[d] < left ? size[d] - index[d] : left;
            for (int32_t j = 0; j < n; j++) {
                row(x + j * step, stride[d], y + j, n, many);
            }
        } else if (step != 1) {
            row(x, step, y, 1, n);
        } else if (bytes == 4) {
            tw_store_word(y, tw_load_word(x));
        } else {
            (void)tw_copy((uint8_t *)y, (const uint8_t *)x, bytes);
        }
        x += (ptrdiff_t)many * stride[d];
        index[d] += many;
        while (index[d] == size[d] && d > 0) {
            x -= (ptrdiff_t)size[d] * stride[d];
            index[d] = 0;
            d--;
            x += stride[d];
            index[d]++;
        }
    }
}
