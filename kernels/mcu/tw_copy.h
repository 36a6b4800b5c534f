/* Copies of any length, where the C library's take byte by byte. */
#ifndef TW_COPY_H
#define TW_COPY_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__ARM_FEATURE_MVE) && defined(__GNUC__)

static inline void tw_copy(void *to, const void *from, size_t bytes)
{
    __asm__ volatile("wlstp.8 lr, %[n], 2f\n"
                     "1: vldrb.8 q0, [%[from]], #16\n"
                     "vstrb.8 q0, [%[to]], #16\n"
                     "letp lr, 1b\n"
                     "2:\n"
                     : [from] "+l"(from), [to] "+l"(to)
                     : [n] "r"(bytes)
                     : "lr", "q0", "memory");
}

#else

static inline void tw_copy(void *to, const void *from, size_t bytes)
{
    uint8_t *y = to;
    const uint8_t *x = from;
    if ((((uintptr_t)x | (uintptr_t)y) & 3u) == 0) {
        const uint32_t *word = from;
        uint32_t *out = to;
        for (; bytes >= 16; bytes -= 16, word += 4, out += 4) {
            const uint32_t a = word[0], b = word[1], c = word[2], d = word[3];
            out[0] = a;
            out[1] = b;
            out[2] = c;
            out[3] = d;
        }
        for (; bytes >= 4; bytes -= 4) {
            *out++ = *word++;
        }
        x = (const uint8_t *)word;
        y = (uint8_t *)out;
    }
    if (bytes > 0) {
        memcpy(y, x, bytes);
    }
}

#endif

#endif
