/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_product_lanes_mve
#define A_T int8_t
#define A_MIN INT8_MIN
#define B_T int8_t
#define B_MIN INT8_MIN
#define Y_T int8_t
#endif
/* tilewright: end */
#include <arm_mve.h>
#include <stddef.h>
#include <stdint.h>

#include "tw_batch.h"
#include "tw_words.h"

struct scale {
    struct tw_word_scale words;
    int32_t mul;
    int32_t add;
};

/* A matrix [rows, k] or [k, rows] of bytes. */
struct matrix {
    const void *at;
    int32_t rows;
    int32_t row;
    int32_t step;
};

/* Four results, `next` apart; words are sums. */
static inline void store(Y_T *y, int32x4_t v, uint32x4_t next, const struct scale *s, mve_pred16_t p)
{
    if (sizeof(Y_T) == 4) {
        vstrwq_scatter_shifted_offset_p_s32((int32_t *)y, next, v, p);
    } else {
        v = vmlasq_n_s32(v, vdupq_n_s32(s->mul), s->add);
        vstrbq_scatter_offset_p_s32((int8_t *)y, next, tw_scaled_words(v, &s->words), p);
    }
}

static inline int32x4_t bytes(const void *at, uint32x4_t from, int is_signed)
{
    return is_signed ? vldrbq_gather_offset_s32(at, from) : vreinterpretq_s32_u32(vldrbq_gather_offset_u32(at, from));
}

static inline int32_t byte(const void *at, int32_t i, int is_signed)
{
    return is_signed ? ((const int8_t *)at)[i] : ((const uint8_t *)at)[i];
}

/* Four rows of l at a time by four of s, or one; results lie l_next and s_next apart. */
static inline void product(struct matrix l, int l_signed, struct matrix s, int s_signed, int32_t k, Y_T *y, int32_t l_next,
                           int32_t s_next, const struct scale *scale)
{
    uint32x4_t from = vmulq_n_u32(vidupq_n_u32(0, 1), (uint32_t)l.row);
    const uint32x4_t to = vmulq_n_u32(vidupq_n_u32(0, 1), (uint32_t)l_next);
    const struct scale by = *scale;
    const int8_t *l_at = l.at;
    for (int32_t left = l.rows; left > 0; left -= 4, l_at += 4 * l.row, y += 4 * l_next) {
        const mve_pred16_t p = vctp32q((uint32_t)left);
        const int8_t *s_at = s.at;
        Y_T *at = y;
        int32_t rows = s.rows;
        if (left < 4) {
            from = vminq_u32(from, vdupq_n_u32((uint32_t)((left - 1) * l.row)));
        }
        for (; rows >= 4; rows -= 4, s_at += 4 * s.row, at += 4 * s_next) {
            const int8_t *s1 = s_at + s.row, *s2 = s1 + s.row, *s3 = s2 + s.row, *x = l_at;
            int32x4_t v0 = vdupq_n_s32(0), v1 = v0, v2 = v0, v3 = v0;
            for (int32_t i = 0, j = 0; i < k; i++, j += s.step, x += l.step) {
                const int32x4_t v = bytes(x, from, l_signed);
                v0 = vmlaq_n_s32(v0, v, byte(s_at, j, s_signed));
                v1 = vmlaq_n_s32(v1, v, byte(s1, j, s_signed));
                v2 = vmlaq_n_s32(v2, v, byte(s2, j, s_signed));
                v3 = vmlaq_n_s32(v3, v, byte(s3, j, s_signed));
            }
            store(at, v0, to, &by, p);
            store(at + s_next, v1, to, &by, p);
            store(at + 2 * s_next, v2, to, &by, p);
            store(at + 3 * s_next, v3, to, &by, p);
        }
        for (; rows > 0; rows--, s_at += s.row, at += s_next) {
            const int8_t *x = l_at, *f = s_at;
            int32x4_t v0 = vdupq_n_s32(0);
            for (int32_t i = 0; i < k; i++, f += s.step, x += l.step) {
                v0 = vmlaq_n_s32(v0, bytes(x, from, l_signed), byte(f, 0, s_signed));
            }
            store(at, v0, to, &by, p);
        }
    }
}

/*
 * Matrix products of bytes, as they are or requantised: four rows of the operand that has more of them are the lanes of a
 * vector, which are multiplied by elements of the other.
 *
 * y [batch, m, n] = a [m, k] * b [k, n], with any element strides; `walk` has the dimensions of the batch, and the steps of a
 * and of b.
 */
void TW_KERNEL(const A_T *a, const B_T *b, Y_T *y, int32_t m, int32_t k, int32_t n, int32_t a_row, int32_t a_col,
               int32_t b_row, int32_t b_col, int32_t batch, int32_t batch_rank, const int32_t *walk, const int32_t *mul,
               const int32_t *add, int shift, int32_t lo, int32_t hi)
{
    struct scale scale = {{vdupq_n_s32(lo), vdupq_n_s32(hi), -shift}, 0, 0};
    if (mul != NULL) {
        scale.mul = *mul;
        scale.add = *add;
    }
    for (int32_t t = 0; t < batch; t++, y += m * n) {
        const struct matrix ma = {a + tw_batch_offset(t, batch_rank, walk, walk + batch_rank), m, a_row, a_col};
        const struct matrix mb = {b + tw_batch_offset(t, batch_rank, walk, walk + 2 * batch_rank), n, b_col, b_row};
        if (m > n) {
            product(ma, A_MIN < 0, mb, B_MIN < 0, k, y, n, 1, &scale);
        } else {
            product(mb, B_MIN < 0, ma, A_MIN < 0, k, y, 1, n, &scale);
        }
    }
}
