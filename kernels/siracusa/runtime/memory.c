/*
 * Copying and filling by words. The C library's functions do it by bytes, to be small, and every access to L2 costs
 * the same. Words may lie across two: the cores then take one cycle more.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint32_t __attribute__((may_alias)) word;

/* The compiler must not find the functions in their own loops. */
#define AS_WRITTEN __attribute__((optimize("no-tree-loop-distribute-patterns")))

/* Blocks of four words, then words, then bytes; upwards, each read before its place is written. */
AS_WRITTEN static void copy_up(uint8_t *to, const uint8_t *from, size_t bytes)
{
    while (bytes > 0 && ((uintptr_t)to & 3) != 0) {
        *to++ = *from++;
        bytes--;
    }
    for (; bytes >= 16; bytes -= 16) {
        const word a = ((const word *)from)[0], b = ((const word *)from)[1];
        const word c = ((const word *)from)[2], d = ((const word *)from)[3];
        ((word *)to)[0] = a;
        ((word *)to)[1] = b;
        ((word *)to)[2] = c;
        ((word *)to)[3] = d;
        from += 16;
        to += 16;
    }
    for (; bytes >= 4; bytes -= 4) {
        *(word *)to = *(const word *)from;
        from += 4;
        to += 4;
    }
    for (; bytes > 0; bytes--) {
        *to++ = *from++;
    }
}

/* The same downwards, from the ends. */
AS_WRITTEN static void copy_down(uint8_t *to, const uint8_t *from, size_t bytes)
{
    to += bytes;
    from += bytes;
    while (bytes > 0 && ((uintptr_t)to & 3) != 0) {
        *--to = *--from;
        bytes--;
    }
    for (; bytes >= 4; bytes -= 4) {
        from -= 4;
        to -= 4;
        *(word *)to = *(const word *)from;
    }
    for (; bytes > 0; bytes--) {
        *--to = *--from;
    }
}

void *memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
    copy_up(to, from, bytes);
    return to;
}

void *memmove(void *to, const void *from, size_t bytes)
{
    /* Upwards is right unless the result begins inside the source. */
    if ((uintptr_t)to - (uintptr_t)from >= bytes) {
        copy_up(to, from, bytes);
    } else {
        copy_down(to, from, bytes);
    }
    return to;
}

AS_WRITTEN void *memset(void *to, int value, size_t bytes)
{
    uint8_t *p = to;
    const word four = (uint8_t)value * 0x01010101u;
    while (bytes > 0 && ((uintptr_t)p & 3) != 0) {
        *p++ = (uint8_t)value;
        bytes--;
    }
    for (; bytes >= 4; bytes -= 4) {
        *(word *)p = four;
        p += 4;
    }
    for (; bytes > 0; bytes--) {
        *p++ = (uint8_t)value;
    }
    return to;
}
