/*
 * Four channels of a depthwise convolution along a row: sums of products of halfwords, requantised in 32 bits.
 *
 * Pixels and weights are two words each: of channels 0 and 2, and of channels 1 and 3.
 */
#ifndef TW_DEPTHWISE_H
#define TW_DEPTHWISE_H

#include "tw_dots.h"

struct tw_depthwise {
    uint8_t *y;                  /* 0 */
    int32_t count;               /* 4: pixels to compute, at least one */
    int32_t x_at;                /* 8: bytes from the start of a row to the window */
    int32_t x_step;              /* 12: bytes from one window to the next */
    int32_t y_step;              /* 16: bytes from one pixel of y to the next */
    const uint32_t *const *rows; /* 20: the rows of x below the window */
    int32_t row_count;           /* 24 */
    const uint32_t *taps;        /* 28: the weights for the first of them */
    uint32_t first[4];           /* 32: where the sums begin */
    int32_t mul[4];              /* 48 */
    uint32_t add[4];             /* 64 */
    int32_t shift;               /* 80 */
};

#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)

/* Rows of three taps, at least one: 6 instructions for the four products of a tap, 31 to requantise and store. */
#define TW_DEPTHWISE_3(name, saturate) \
    void name(struct tw_depthwise *d); \
    __asm__(".pushsection .text." #name ",\"ax\",%progbits\n" \
            ".syntax unified\n" \
            ".thumb\n" \
            ".p2align 2\n" \
            ".thumb_func\n" \
            ".type " #name ", %function\n" #name ":\n" \
            "push {r4, r5, r6, r7, r8, r9, r10, r11, lr}\n" \
            "mov r3, r0\n" \
            "ldr r9, [r3, #8]\n" \
            "1: add lr, r3, #32\n" \
            "ldmia lr, {r4, r5, r6, r7}\n" \
            "ldrd r8, r2, [r3, #20]\n" \
            "ldr r1, [r3, #28]\n" \
            "2: ldr r0, [r8], #4\n" \
            "add r0, r0, r9\n" \
            ".rept 3\n" \
            "ldrd r10, r11, [r0], #8\n" \
            "ldrd r12, lr, [r1], #8\n" \
            "smlabb r4, r10, r12, r4\n" \
            "smlatt r6, r10, r12, r6\n" \
            "smlabb r5, r11, lr, r5\n" \
            "smlatt r7, r11, lr, r7\n" \
            ".endr\n" \
            "subs r2, r2, #1\n" \
            "bne 2b\n" \
            "add lr, r3, #48\n" \
            "ldmia lr!, {r8, r10, r11, r12}\n" \
            "ldmia lr, {r0, r1, r2, lr}\n" \
            "mla r4, r4, r8, r0\n" \
            "mla r5, r5, r10, r1\n" \
            "mla r6, r6, r11, r2\n" \
            "mla r7, r7, r12, lr\n" \
            "ldr r0, [r3, #80]\n" \
            "asrs r4, r4, r0\n" \
            "asrs r5, r5, r0\n" \
            "asrs r6, r6, r0\n" \
            "asrs r7, r7, r0\n" \
            saturate " r4, #8, r4\n" \
            saturate " r5, #8, r5\n" \
            saturate " r6, #8, r6\n" \
            saturate " r7, #8, r7\n" \
            "ldrd r0, r1, [r3]\n" \
            "strb r4, [r0]\n" \
            "strb r5, [r0, #1]\n" \
            "strb r6, [r0, #2]\n" \
            "strb r7, [r0, #3]\n" \
            "ldrd r2, r8, [r3, #12]\n" \
            "add r0, r0, r8\n" \
            "add r9, r9, r2\n" \
            "subs r1, r1, #1\n" \
            "strd r0, r1, [r3]\n" \
            "bne 1b\n" \
            "pop {r4, r5, r6, r7, r8, r9, r10, r11, pc}\n" \
            ".size " #name ", .-" #name "\n" \
            ".popsection\n");

TW_DEPTHWISE_3(tw_depthwise_3_s8, "ssat")
TW_DEPTHWISE_3(tw_depthwise_3_u8, "usat")

#endif

/* Any number of taps and rows; results within lo and hi. */
static inline void tw_depthwise_any(struct tw_depthwise *d, int32_t kernel_w, int32_t lo, int32_t hi)
{
    for (; d->count > 0; d->count--, d->x_at += d->x_step, d->y += d->y_step) {
        uint32_t acc[4] = {d->first[0], d->first[1], d->first[2], d->first[3]};
        const uint32_t *w = d->taps;
        for (int32_t r = 0; r < d->row_count; r++) {
            const uint32_t *x = d->rows[r] + d->x_at / 4;
            for (int32_t i = 0; i < kernel_w; i++, x += 2, w += 2) {
                acc[0] = tw_low(x[0], w[0], acc[0]);
                acc[1] = tw_low(x[1], w[1], acc[1]);
                acc[2] = tw_high(x[0], w[0], acc[2]);
                acc[3] = tw_high(x[1], w[1], acc[3]);
            }
        }
        for (int32_t j = 0; j < 4; j++) {
            const int32_t v = (int32_t)(acc[j] * (uint32_t)d->mul[j] + d->add[j]) >> d->shift;
            d->y[j] = (uint8_t)(v < lo ? lo : v > hi ? hi : v);
        }
    }
}

#endif
