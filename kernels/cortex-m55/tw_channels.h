/*
 * Windows of 3x3 bytes, eight channels at a time, with the vectors of Cortex-M55 (MVE): products of halfwords are words, those
 * of even channels and those of odd ones; requantised in 32 bits.
 */
#ifndef TW_CHANNELS_H
#define TW_CHANNELS_H

#include <arm_mve.h>
#include <stdint.h>

/* A row of windows; the places of all but `rows` are known to the code below. */
struct tw_channels {
    const void *x[3]; /* rows of pixels of eight bytes */
    const int8_t *w;  /* eight bytes for each tap */
    void *y;
    int32_t x_step; /* bytes from one window to the next */
    int32_t y_step;
    int32_t left;      /* the shift, negative */
    uint32_t channels; /* those there are, as a predicate of halfwords */
    int32_t count;     /* windows, at least one */
    int32_t lo;
    int32_t hi;
    int32_t mul[8]; /* of even channels, then of odd ones */
    int32_t add[8];
};

void tw_channels_3x3_s8(const struct tw_channels *c);
void tw_channels_3x3_u8(const struct tw_channels *c);

#define TW_TAP(s, x, at, w)                                                                                           \
    "vldrb." s "16 q2, [" x ", #" at "]\n"                                                                            \
    "vldrb.s16 q3, [r3, #" w "]\n"                                                                                    \
    "vmullb.s16 q4, q2, q3\n"                                                                                         \
    "vmullt.s16 q2, q2, q3\n"                                                                                         \
    "vadd.i32 q0, q0, q4\n"                                                                                           \
    "vadd.i32 q1, q1, q2\n"
#define TW_CHANNELS(name, s)                                                                                          \
    __asm__(".pushsection .text." name ",\"ax\",%progbits\n"                                                          \
            ".syntax unified\n"                                                                                       \
            ".thumb\n"                                                                                                \
            ".p2align 2\n"                                                                                            \
            ".thumb_func\n"                                                                                           \
            ".type " name ", %function\n" name ":\n"                                                                  \
            "push {r4, r5, r6, r7, r8, r9, r10, r11, lr}\n"                                                           \
            "vpush {d8, d9, d10, d11, d12, d13}\n"                                                                    \
            "mov r12, r0\n"                                                                                           \
            "ldmia r12!, {r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11}\n"                                        \
            "vdup.16 q5, r10\n"                                                                                       \
            "vdup.16 q6, r11\n"                                                                                       \
            "vmsr p0, r8\n"                                                                                           \
            "dls lr, r9\n"                                                                                            \
            "1: vldrb." s "16 q2, [r0]\n"                                                                             \
            "vldrb.s16 q3, [r3]\n"                                                                                    \
            "vmullb.s16 q0, q2, q3\n"                                                                                 \
            "vmullt.s16 q1, q2, q3\n"                                                                                 \
            TW_TAP(s, "r0", "8", "8")                                                                                 \
            TW_TAP(s, "r0", "16", "16")                                                                               \
            TW_TAP(s, "r1", "0", "24")                                                                                \
            TW_TAP(s, "r1", "8", "32")                                                                                \
            TW_TAP(s, "r1", "16", "40")                                                                               \
            TW_TAP(s, "r2", "0", "48")                                                                                \
            TW_TAP(s, "r2", "8", "56")                                                                                \
            TW_TAP(s, "r2", "16", "64")                                                                               \
            "vldrw.32 q2, [r12]\n"                                                                                    \
            "vmul.i32 q0, q0, q2\n"                                                                                   \
            "vldrw.32 q3, [r12, #16]\n"                                                                               \
            "vmul.i32 q1, q1, q3\n"                                                                                   \
            "vldrw.32 q2, [r12, #32]\n"                                                                               \
            "vadd.i32 q0, q0, q2\n"                                                                                   \
            "vldrw.32 q3, [r12, #48]\n"                                                                               \
            "vadd.i32 q1, q1, q3\n"                                                                                   \
            "vrshl.s32 q0, r7\n"                                                                                      \
            "add r0, r0, r5\n"                                                                                        \
            "vrshl.s32 q1, r7\n"                                                                                      \
            "add r1, r1, r5\n"                                                                                        \
            "vqmovnb.s32 q0, q0\n"                                                                                    \
            "add r2, r2, r5\n"                                                                                        \
            "vqmovnt.s32 q0, q1\n"                                                                                    \
            "vmax.s16 q0, q0, q5\n"                                                                                   \
            "vmin.s16 q0, q0, q6\n"                                                                                   \
            "vpst\n"                                                                                                  \
            "vstrbt.16 q0, [r4]\n"                                                                                    \
            "add r4, r4, r6\n"                                                                                        \
            "le lr, 1b\n"                                                                                             \
            "vpop {d8, d9, d10, d11, d12, d13}\n"                                                                     \
            "pop {r4, r5, r6, r7, r8, r9, r10, r11, pc}\n"                                                            \
            ".size " name ", .-" name "\n"                                                                            \
            ".popsection\n")

TW_CHANNELS("tw_channels_3x3_s8", "s");
TW_CHANNELS("tw_channels_3x3_u8", "u");

#undef TW_TAP
#undef TW_CHANNELS

/* Eight channels of so many pixels, `step` bytes from one to the next, side by side. */
static inline void tw_gather_channels(void *to, const void *from, int32_t count, int32_t step, uint32_t channels)
{
    uint16x8_t v;
    if (count > 0) {
        __asm__ volatile("vmsr p0, %[p]\n"
                         "dls lr, %[n]\n"
                         "1: vpst\n"
                         "vldrbt.u16 %q[v], [%[from]]\n"
                         "add %[from], %[from], %[step]\n"
                         "vstrb.16 %q[v], [%[to]], #8\n"
                         "le lr, 1b\n"
                         : [to] "+l"(to), [from] "+l"(from), [v] "=&w"(v)
                         : [n] "r"(count), [step] "r"(step), [p] "r"(channels)
                         : "lr", "memory", "cc");
    }
}

#endif
