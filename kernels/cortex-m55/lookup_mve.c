/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_lookup_mve
#define X_T int8_t
#define Y_T int8_t
#endif
/* tilewright: end */
#include <arm_mve.h>
#include <stdint.h>

/* y = table[byte of x], bytes, sixteen at a time; the table has 256 elements. y may be x. */
void TW_KERNEL(const X_T *x, const Y_T *table, Y_T *y, int32_t n)
{
    uint8x16_t v, found;
    __asm__ volatile("wlstp.8 lr, %[n], 2f\n"
                     "1: vldrb.8 %q[v], [%[x]], #16\n"
                     "vldrb.u8 %q[found], [%[table], %q[v]]\n"
                     "vstrb.8 %q[found], [%[y]], #16\n"
                     "letp lr, 1b\n"
                     "2:\n"
                     : [x] "+l"(x), [y] "+l"(y), [v] "=&w"(v), [found] "=&w"(found)
                     : [n] "r"(n), [table] "r"(table)
                     : "lr", "memory");
}
