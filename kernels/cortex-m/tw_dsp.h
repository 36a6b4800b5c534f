/*
 * Dot products of bytes with the DSP instructions of Cortex-M4, M7 and M55, and what they compute in C for other cores.
 *
 * Bytes become pairs of halfwords: a word of bytes 0 to 3 is two words, of bytes 0 and 2 and of bytes 1 and 3. Where two
 * columns are multiplied by the same weights they lie in turns: two words of the first, two words of the second.
 */
#ifndef TW_DSP_H
#define TW_DSP_H

#include <stdint.h>
#include <string.h>

/* Four bytes wherever they lie. */
static inline uint32_t tw_word(const void *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)

static inline uint32_t tw_even(uint32_t v, int is_signed)
{
    uint32_t r;
    if (is_signed) {
        __asm__("sxtb16 %0, %1" : "=r"(r) : "r"(v));
    } else {
        __asm__("uxtb16 %0, %1" : "=r"(r) : "r"(v));
    }
    return r;
}

static inline uint32_t tw_odd(uint32_t v, int is_signed)
{
    uint32_t r;
    if (is_signed) {
        __asm__("sxtb16 %0, %1, ror #8" : "=r"(r) : "r"(v));
    } else {
        __asm__("uxtb16 %0, %1, ror #8" : "=r"(r) : "r"(v));
    }
    return r;
}

/* sum + tw_even(v), sum + tw_odd(v): halves each by itself. */
static inline uint32_t tw_add_even(uint32_t sum, uint32_t v, int is_signed)
{
    if (is_signed) {
        __asm__("sxtab16 %0, %0, %1" : "+r"(sum) : "r"(v));
    } else {
        __asm__("uxtab16 %0, %0, %1" : "+r"(sum) : "r"(v));
    }
    return sum;
}

static inline uint32_t tw_add_odd(uint32_t sum, uint32_t v, int is_signed)
{
    if (is_signed) {
        __asm__("sxtab16 %0, %0, %1, ror #8" : "+r"(sum) : "r"(v));
    } else {
        __asm__("uxtab16 %0, %0, %1, ror #8" : "+r"(sum) : "r"(v));
    }
    return sum;
}

/* The nearest byte. */
static inline int32_t tw_byte(int32_t v, int is_signed)
{
    if (is_signed) {
        __asm__("ssat %0, #8, %0" : "+r"(v));
    } else {
        __asm__("usat %0, #8, %0" : "+r"(v));
    }
    return v;
}

/* The larger of each pair of bytes. */
static inline uint32_t tw_max_4(uint32_t a, uint32_t b, int is_signed)
{
    uint32_t r;
    if (is_signed) {
        __asm__("ssub8 %0, %1, %2\n\tsel %0, %1, %2" : "=&r"(r) : "r"(a), "r"(b));
    } else {
        __asm__("usub8 %0, %1, %2\n\tsel %0, %1, %2" : "=&r"(r) : "r"(a), "r"(b));
    }
    return r;
}

/* acc + the product of the lower halves, or of the upper ones. */
static inline uint32_t tw_low(uint32_t a, uint32_t b, uint32_t acc)
{
    __asm__("smlabb %0, %1, %2, %0" : "+r"(acc) : "r"(a), "r"(b));
    return acc;
}

static inline uint32_t tw_high(uint32_t a, uint32_t b, uint32_t acc)
{
    __asm__("smlatt %0, %1, %2, %0" : "+r"(acc) : "r"(a), "r"(b));
    return acc;
}

#else

static inline uint32_t tw_half(uint32_t v, int at, int is_signed)
{
    const uint32_t byte = v >> at & 0xffu;
    return is_signed && byte > 127u ? byte | 0xff00u : byte;
}

static inline uint32_t tw_even(uint32_t v, int is_signed)
{
    return tw_half(v, 0, is_signed) | tw_half(v, 16, is_signed) << 16;
}

static inline uint32_t tw_odd(uint32_t v, int is_signed)
{
    return tw_half(v, 8, is_signed) | tw_half(v, 24, is_signed) << 16;
}

static inline uint32_t tw_add_halves(uint32_t a, uint32_t b)
{
    return ((a + b) & 0xffffu) | (((a >> 16) + (b >> 16)) << 16);
}

static inline uint32_t tw_add_even(uint32_t sum, uint32_t v, int is_signed)
{
    return tw_add_halves(sum, tw_even(v, is_signed));
}

static inline uint32_t tw_add_odd(uint32_t sum, uint32_t v, int is_signed)
{
    return tw_add_halves(sum, tw_odd(v, is_signed));
}

static inline uint32_t tw_max_4(uint32_t a, uint32_t b, int is_signed)
{
    /* With the sign turned over, signed bytes compare as unsigned ones. */
    const uint32_t turn = is_signed ? 0x80808080u : 0u;
    uint32_t r = 0;
    a ^= turn;
    b ^= turn;
    for (int at = 0; at < 32; at += 8) {
        const uint32_t p = a & UINT32_C(0xff) << at, q = b & UINT32_C(0xff) << at;
        r |= p > q ? p : q;
    }
    return r ^ turn;
}

static inline int32_t tw_byte(int32_t v, int is_signed)
{
    const int32_t lo = is_signed ? -128 : 0, hi = is_signed ? 127 : 255;
    return v < lo ? lo : v > hi ? hi : v;
}

static inline uint32_t tw_low(uint32_t a, uint32_t b, uint32_t acc)
{
    return acc + (uint32_t)((int32_t)(int16_t)(uint16_t)a * (int16_t)(uint16_t)b);
}

static inline uint32_t tw_high(uint32_t a, uint32_t b, uint32_t acc)
{
    return tw_low(a >> 16, b >> 16, acc);
}

#endif
#endif
