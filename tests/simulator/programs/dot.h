/* The inner loop of dot products of bytes: SIMD, post-increment, a hardware loop. */
#ifndef DOT_H
#define DOT_H

#include <stdint.h>

/* funct7 of the dot products that add to their result. */
#define SDOTUSP 0x54 /* pv.sdotusp.b: unsigned by signed */
#define SDOTSP 0x5c  /* pv.sdotsp.b: signed by signed */

/* The dot product of n bytes, a multiple of 8, of aligned x and y. */
__attribute__((always_inline)) static inline int32_t dot_product(int funct7, const void *x, const void *y, int n)
{
    int32_t sum = 0;
    uint32_t x0, x1, y0, y1;
    __asm__ volatile(".option push\n.option norvc\n"
                     " .insn i 0x7b, 4, x0, %[n], 12\n"
                     " .insn i 0x0b, 2, %[x0], 4(%[x])\n"
                     " .insn i 0x0b, 2, %[y0], 4(%[y])\n"
                     " .insn i 0x0b, 2, %[x1], 4(%[x])\n"
                     " .insn i 0x0b, 2, %[y1], 4(%[y])\n"
                     " .insn r 0x57, 1, %[funct7], %[sum], %[x0], %[y0]\n"
                     " .insn r 0x57, 1, %[funct7], %[sum], %[x1], %[y1]\n"
                     ".option pop"
                     : [sum] "+r"(sum), [x] "+r"(x), [y] "+r"(y), [x0] "=&r"(x0), [x1] "=&r"(x1),
                       [y0] "=&r"(y0), [y1] "=&r"(y1)
                     : [n] "r"(n / 8), [funct7] "i"(funct7)
                     : "memory");
    return sum;
}

#endif
