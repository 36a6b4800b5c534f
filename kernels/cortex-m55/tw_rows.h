/*
 * All output channels of two rows of bytes, requantised in 32 bits, with the vectors of Cortex-M55 (MVE). Weights are packed
 * in vectors4: blocks of four rows that take turns, sixteen bytes at a time.
 */
#ifndef TW_ROWS_H
#define TW_ROWS_H

#include <arm_mve.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Their places are known to the code below. */
struct tw_rows {
    const int8_t *x[2]; /* whole vectors, signed; what lies behind their end meets weights of zero */
    int32_t steps;      /* vectors of a row, at least one */
    int32_t shift;      /* to the left, so it is negative */
    const int32_t *end; /* of the scales */
    void *y[2];
    int32_t lo;
    int32_t hi;
};

/*
 * Four channels for each four multipliers and four addends from `scale` to `end`: 2 x 4 accumulators in the even registers,
 * where alone sums of products go; 14 instructions for 128 products.
 */
void tw_rows_2(struct tw_rows *rows, const int8_t *w, const int32_t *scale);

#define TW_ROWS_STEP(add)                                                                                             \
    "vldrb.8 q0, [r1], #16\n"                                                                                         \
    "vldrb.8 q1, [r3], #16\n"                                                                                         \
    "vldrb.8 q2, [r5], #16\n"                                                                                         \
    "vmladav" add ".s8 r0, q0, q2\n"                                                                                  \
    "vldrb.8 q3, [r5], #16\n"                                                                                         \
    "vmladav" add ".s8 r8, q1, q2\n"                                                                                  \
    "vmladav" add ".s8 r2, q0, q3\n"                                                                                  \
    "vldrb.8 q2, [r5], #16\n"                                                                                         \
    "vmladav" add ".s8 r10, q1, q3\n"                                                                                 \
    "vmladav" add ".s8 r4, q0, q2\n"                                                                                  \
    "vldrb.8 q3, [r5], #16\n"                                                                                         \
    "vmladav" add ".s8 r12, q1, q2\n"                                                                                 \
    "vmladav" add ".s8 r6, q0, q3\n"                                                                                  \
    "vmladav" add ".s8 lr, q1, q3\n"

__asm__(".pushsection .text.tw_rows_2,\"ax\",%progbits\n"
        ".syntax unified\n"
        ".thumb\n"
        ".p2align 2\n"
        ".thumb_func\n"
        ".type tw_rows_2, %function\n"
        "tw_rows_2:\n"
        "push {r4, r5, r6, r7, r8, r9, r10, r11, lr}\n"
        "vpush {d8, d9, d10, d11}\n"
        "mov r11, r0\n"
        "mov r5, r1\n"
        "mov r9, r2\n"
        "ldrd r0, r2, [r11, #28]\n"
        "vdup.32 q4, r0\n"
        "vdup.32 q5, r2\n"
        "1: ldrd r1, r3, [r11]\n"
        "ldr r7, [r11, #8]\n"
        TW_ROWS_STEP("")
        "subs r7, r7, #1\n"
        "beq 3f\n"
        "lsrs r7, r7, #1\n"
        "bcc 2f\n"
        TW_ROWS_STEP("a")
        "cbz r7, 3f\n"
        "2:\n"
        TW_ROWS_STEP("a")
        TW_ROWS_STEP("a")
        "subs r7, r7, #1\n"
        "bne 2b\n"
        "3: vmov q0[2], q0[0], r0, r4\n"
        "vmov q0[3], q0[1], r2, r6\n"
        "vmov q1[2], q1[0], r8, r12\n"
        "vmov q1[3], q1[1], r10, lr\n"
        "vldrw.32 q2, [r9], #16\n"
        "vldrw.32 q3, [r9], #16\n"
        "vmul.i32 q0, q0, q2\n"
        "ldrd r0, r2, [r11, #12]\n"
        "vmul.i32 q1, q1, q2\n"
        "ldrd r4, r6, [r11, #20]\n"
        "vadd.i32 q0, q0, q3\n"
        "vadd.i32 q1, q1, q3\n"
        "vrshl.s32 q0, r0\n"
        "vrshl.s32 q1, r0\n"
        "vmax.s32 q0, q0, q4\n"
        "vmax.s32 q1, q1, q4\n"
        "vmin.s32 q0, q0, q5\n"
        "vmin.s32 q1, q1, q5\n"
        "vstrb.32 q0, [r4], #4\n"
        "vstrb.32 q1, [r6], #4\n"
        "strd r4, r6, [r11, #20]\n"
        "cmp r9, r2\n"
        "bne 1b\n"
        "vpop {d8, d9, d10, d11}\n"
        "pop {r4, r5, r6, r7, r8, r9, r10, r11, pc}\n"
        ".size tw_rows_2, .-tw_rows_2\n"
        ".popsection\n");

#undef TW_ROWS_STEP

/* Multipliers and addends of out_c channels, by fours. Where unsigned bytes are turned, w makes up for it with the sums of its
 * rows; else it is NULL. */
static inline void tw_scales(int32_t *scale, const int8_t *w, int32_t steps, int32_t out_c, const int32_t *mul,
                             const int32_t *add, int32_t mul_step, int32_t add_step)
{
    for (int32_t o = 0; o < out_c; o += 4, scale += 8) {
        int32_t sums[4] = {0, 0, 0, 0};
        if (w != NULL) {
            for (int32_t s = 0; s < steps; s++, w += 64) {
                for (int32_t j = 0; j < 4; j++) {
                    sums[j] = vaddvaq_s8(sums[j], vldrbq_s8(w + 16 * j));
                }
            }
        }
        for (int32_t j = 0; j < 4; j++) {
            const int32_t c = o + j < out_c ? o + j : 0;
            scale[j] = mul[c * mul_step];
            scale[4 + j] = (int32_t)(128u * (uint32_t)sums[j] * (uint32_t)scale[j] + (uint32_t)add[c * add_step]);
        }
    }
}

/* All channels of two rows, where their number is no multiple of four. */
static __attribute__((noinline)) void tw_two_odd_rows(struct tw_rows *rows, const int8_t *w, const int32_t *scale,
                                                      int32_t out_c)
{
    const size_t whole = (size_t)out_c / 4 * 4, rest = (size_t)out_c % 4;
    uint8_t *const y0 = rows->y[0], *const y1 = rows->y[1];
    uint8_t last[8];
    rows->end = scale + 2 * whole;
    if (whole > 0) {
        tw_rows_2(rows, w, scale);
    }
    rows->y[0] = last;
    rows->y[1] = last + 4;
    scale = rows->end;
    rows->end += 8;
    tw_rows_2(rows, w + 16 * (size_t)rows->steps * whole, scale);
    memcpy(y0 + whole, last, rest);
    memcpy(y1 + whole, last + 4, rest);
}

/* All channels of two rows. */
static inline void tw_two_rows(struct tw_rows *rows, const int8_t *w, const int32_t *scale, void *y0, void *y1, int32_t out_c)
{
    rows->y[0] = y0;
    rows->y[1] = y1;
    if (out_c & 3) {
        tw_two_odd_rows(rows, w, scale, out_c);
    } else {
        tw_rows_2(rows, w, scale);
    }
}

/* n bytes of each of `rows` rows, `step` bytes from one to the next; their sign bits turned over by `turn`. */
static inline int8_t *tw_copy_turned(int8_t *to, const void *from, int32_t rows, int32_t step, int32_t n, uint8x16_t turn)
{
    if (rows > 0 && n > 0) {
        int8_t *at;
        const void *x;
        uint8x16_t v;
        __asm__ volatile("2: mov %[x], %[from]\n"
                         "mov %[at], %[to]\n"
                         "dlstp.8 lr, %[n]\n"
                         "1: vldrb.8 %q[v], [%[x]], #16\n"
                         "veor %q[v], %q[v], %q[turn]\n"
                         "vstrb.8 %q[v], [%[at]], #16\n"
                         "letp lr, 1b\n"
                         "add %[from], %[from], %[step]\n"
                         "add %[to], %[to], %[n]\n"
                         "subs %[rows], %[rows], #1\n"
                         "bne 2b\n"
                         : [to] "+r"(to), [from] "+r"(from), [rows] "+r"(rows), [at] "=&l"(at), [x] "=&l"(x), [v] "=&w"(v)
                         : [n] "r"(n), [step] "r"(step), [turn] "w"(turn)
                         : "lr", "memory", "cc");
    }
    return to;
}

/* n bytes of zero, their sign bits turned over. */
static inline int8_t *tw_zeros_turned(int8_t *to, int32_t n, uint8x16_t turn)
{
    if (n > 0) {
        int8_t *at = to;
        __asm__ volatile("dlstp.8 lr, %[n]\n"
                         "1: vstrb.8 %q[turn], [%[at]], #16\n"
                         "letp lr, 1b\n"
                         : [at] "+l"(at)
                         : [n] "r"(n), [turn] "w"(turn)
                         : "lr", "memory");
        to += n;
    }
    return to;
}

#endif
