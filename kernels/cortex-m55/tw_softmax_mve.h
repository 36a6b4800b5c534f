/*
 * Rows of an integer softmax whose exponentials are in a table by the distance from the largest byte, four elements at a time.
 */
#ifndef TW_SOFTMAX_MVE_H
#define TW_SOFTMAX_MVE_H

#include <arm_mve.h>
#include <stdint.h>

static inline int32_t tw_largest(const void *x, int32_t n, int is_signed)
{
    int32_t max = is_signed ? -128 : 0;
    for (int32_t i = 0; i < n; i += 16) {
        const mve_pred16_t p = vctp8q((uint32_t)(n - i));
        max = is_signed ? vmaxvq_p_s8((int8_t)max, vldrbq_z_s8((const int8_t *)x + i, p), p)
                        : vmaxvq_p_u8((uint8_t)max, vldrbq_z_u8((const uint8_t *)x + i, p), p);
    }
    return max;
}

#define TW_SUM(s)                                                                                                     \
    __asm__("dlstp.32 lr, %[n]\n"                                                                                     \
            "1: vldrb." s "32 %q[v], [%[x]], #4\n"                                                                    \
            "vsub.i32 %q[v], %q[max], %q[v]\n"                                                                        \
            "vldrw.u32 %q[w], [%[table], %q[v], uxtw #2]\n"                                                           \
            "vaddva.u32 %[sum], %q[w]\n"                                                                              \
            "letp lr, 1b\n"                                                                                           \
            : [x] "+l"(x), [sum] "+Te"(sum), [v] "=&w"(v), [w] "=&w"(w)                                                   \
            : [n] "r"(n), [table] "r"(table), [max] "w"(largest)                                                      \
            : "lr", "memory")

static inline uint32_t tw_sum_of(const void *x, int32_t n, int32_t max, const uint32_t *table, int is_signed)
{
    const uint32x4_t largest = vdupq_n_u32((uint32_t)max);
    uint32_t sum = 0;
    uint32x4_t v, w;
    if (is_signed) {
        TW_SUM("s");
    } else {
        TW_SUM("u");
    }
    return sum;
}

#undef TW_SUM

/* The quotient by the reciprocal is right or one too small. */
#define TW_SHARES(s)                                                                                                  \
    __asm__ volatile("dlstp.32 lr, %[n]\n"                                                                            \
                     "1: vldrb." s "32 %q[v], [%[x]], #4\n"                                                           \
                     "vsub.i32 %q[v], %q[max], %q[v]\n"                                                               \
                     "vldrw.u32 %q[w], [%[table], %q[v], uxtw #2]\n"                                                  \
                     "vmul.i32 %q[w], %q[w], %[top]\n"                                                                \
                     "vmulh.u32 %q[v], %q[w], %q[inverse]\n"                                                          \
                     "vmul.i32 %q[q], %q[v], %[sum]\n"                                                                \
                     "vsub.i32 %q[w], %q[w], %q[q]\n"                                                                 \
                     "vpt.u32 cs, %q[w], %[sum]\n"                                                                    \
                     "vaddt.i32 %q[v], %q[v], %[one]\n"                                                               \
                     "vstrb.32 %q[v], [%[y]], #4\n"                                                                   \
                     "letp lr, 1b\n"                                                                                  \
                     : [x] "+l"(x), [y] "+l"(y), [v] "=&w"(v), [w] "=&w"(w), [q] "=&w"(q)                             \
                     : [n] "r"(n), [table] "r"(table), [max] "w"(largest), [top] "r"(top), [sum] "r"(sum),            \
                       [inverse] "w"(inverse), [one] "r"(1)                                                           \
                     : "lr", "memory", "cc")

static inline void tw_shares(const void *x, uint8_t *y, int32_t n, int32_t max, const uint32_t *table, uint32_t top,
                             uint32_t sum, int is_signed)
{
    const uint32x4_t largest = vdupq_n_u32((uint32_t)max), inverse = vdupq_n_u32(UINT32_MAX / sum);
    uint32x4_t v, w, q;
    if (is_signed) {
        TW_SHARES("s");
    } else {
        TW_SHARES("u");
    }
}

#undef TW_SHARES

#endif
