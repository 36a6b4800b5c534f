/*
 * The larger of bytes, sixteen at a time.
 */
#ifndef TW_LARGER_MVE_H
#define TW_LARGER_MVE_H

#include <arm_mve.h>
#include <stdint.h>
#include <string.h>

/* y = max(y, x), n bytes, or if it is the first time y = x. */
static inline void tw_larger_bytes(const void *x, void *y, int32_t n, int is_signed, int first)
{
    uint8x16_t a, b;
    if (first) {
        memcpy(y, x, (size_t)n);
    } else if (is_signed) {
        __asm__ volatile("wlstp.8 lr, %[n], 2f\n"
                         "1: vldrb.8 %q[a], [%[x]], #16\n"
                         "vldrb.8 %q[b], [%[y]]\n"
                         "vmax.s8 %q[a], %q[a], %q[b]\n"
                         "vstrb.8 %q[a], [%[y]], #16\n"
                         "letp lr, 1b\n"
                         "2:\n"
                         : [x] "+l"(x), [y] "+l"(y), [a] "=&w"(a), [b] "=&w"(b)
                         : [n] "r"(n)
                         : "lr", "memory");
    } else {
        __asm__ volatile("wlstp.8 lr, %[n], 2f\n"
                         "1: vldrb.8 %q[a], [%[x]], #16\n"
                         "vldrb.8 %q[b], [%[y]]\n"
                         "vmax.u8 %q[a], %q[a], %q[b]\n"
                         "vstrb.8 %q[a], [%[y]], #16\n"
                         "letp lr, 1b\n"
                         "2:\n"
                         : [x] "+l"(x), [y] "+l"(y), [a] "=&w"(a), [b] "=&w"(b)
                         : [n] "r"(n)
                         : "lr", "memory");
    }
}

#define TW_LARGER(type, x, y, n, first) tw_larger_bytes(x, y, n, (type)-1 < 0, first)

#endif
