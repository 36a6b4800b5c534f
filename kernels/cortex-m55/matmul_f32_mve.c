/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_matmul_f32_mve
#endif
/* tilewright: end */
#include <arm_mve.h>
#include <stddef.h>
#include <stdint.h>

#include "tw_batch.h"

struct finish {
    float alpha;
    float beta;
    float lo;
    float hi;
    uint32x4_t c; /* where four of c are */
};

/* Elements of a row of a; elements from one to the next. */
struct steps {
    int32_t k;
    int32_t a_row;
    int32_t a_col;
    int32_t b_row;
    int32_t b_col;
};

/* Four results, of which p are there. */
static inline void store(float *y, float32x4_t v, const float *c, const struct finish *f, mve_pred16_t p)
{
    v = vmulq_n_f32(v, f->alpha);
    if (c != NULL) {
        v = vfmaq_n_f32(v, vldrwq_gather_shifted_offset_z_f32(c, f->c, p), f->beta);
    }
    v = vdupq_m_n_f32(v, f->lo, vcmpgtq_f32(vdupq_n_f32(f->lo), v)); /* "less" is true of what is no number */
    v = vdupq_m_n_f32(v, f->hi, vcmpgtq_n_f32(v, f->hi));
    vstrwq_p_f32(y, v, p);
}

/* A row of a times sixteen columns of b, which lie side by side: columns are the lanes. */
static inline void row(const float *a, const float *b, ptrdiff_t b_row, int32_t k, float32x4_t sums[4])
{
    float32x4_t s0 = vdupq_n_f32(0.0f), s1 = s0, s2 = s0, s3 = s0;
    for (int32_t i = 0; i < k; i++, b += b_row) {
        const float u = *a++;
        s0 = vfmaq_n_f32(s0, vldrwq_f32(b), u);
        s1 = vfmaq_n_f32(s1, vldrwq_f32(b + 4), u);
        s2 = vfmaq_n_f32(s2, vldrwq_f32(b + 8), u);
        s3 = vfmaq_n_f32(s3, vldrwq_f32(b + 12), u);
    }
    sums[0] = s0;
    sums[1] = s1;
    sums[2] = s2;
    sums[3] = s3;
}

/* A column of b's elements at a time by elements of four rows of a, whose indices step together. */
#define ROWS_4(load)                                                                                                  \
    __asm__ volatile("wls lr, %[k], 2f\n"                                                                             \
                     "1: ldr %[t], [%[a], %[at]]\n" load "vfma.f32 %q[s0], %q[v], %[t]\n"                             \
                     "ldr %[t], [%[a1], %[at]]\n"                                                                     \
                     "add %[b], %[b], %[b_step]\n"                                                                    \
                     "vfma.f32 %q[s1], %q[v], %[t]\n"                                                                 \
                     "ldr %[t], [%[a2], %[at]]\n"                                                                     \
                     "vfma.f32 %q[s2], %q[v], %[t]\n"                                                                 \
                     "ldr %[t], [%[a3], %[at]]\n"                                                                     \
                     "add %[at], %[at], %[a_step]\n"                                                                  \
                     "vfma.f32 %q[s3], %q[v], %[t]\n"                                                                 \
                     "le lr, 1b\n"                                                                                    \
                     "2:\n"                                                                                           \
                     : [s0] "+w"(s0), [s1] "+w"(s1), [s2] "+w"(s2), [s3] "+w"(s3), [v] "=&w"(v), [b] "+r"(b),         \
                       [at] "+r"(at), [t] "=&r"(t)                                                                    \
                     : [a] "r"(a), [a1] "r"(a1), [a2] "r"(a2), [a3] "r"(a3), [a_step] "r"(4 * steps->a_col),                 \
                       [b_step] "r"(4 * steps->b_row), [o] "w"(offsets), [k] "r"(k)                                          \
                     : "lr", "memory")

/* Up to four rows of a times up to four columns of b, any strides: columns are the lanes. */
static __attribute__((noinline)) void rows_4(const float *a, int32_t rows, const float *b, int32_t left,
                                             const struct steps *steps, float32x4_t sums[4])
{
    const int32_t k = steps->k, a_row = steps->a_row, b_col = steps->b_col;
    const float *a1 = rows > 1 ? a + a_row : a, *a2 = rows > 2 ? a1 + a_row : a1, *a3 = rows > 3 ? a2 + a_row : a2;
    /* Columns that are not there repeat the first. */
    const uint32x4_t offsets = vmulq_m_n_u32(vdupq_n_u32(0), vidupq_n_u32(0, 1), (uint32_t)b_col, vctp32q((uint32_t)left));
    float32x4_t s0 = vdupq_n_f32(0.0f), s1 = s0, s2 = s0, s3 = s0, v;
    int32_t at = 0;
    uint32_t t;
    if (b_col == 1 && left > 3) {
        ROWS_4("vldrw.u32 %q[v], [%[b]]\n");
    } else {
        ROWS_4("vldrw.u32 %q[v], [%[b], %q[o], uxtw #2]\n");
    }
    sums[0] = s0;
    sums[1] = s1;
    sums[2] = s2;
    sums[3] = s3;
}

#undef ROWS_4

static inline float sum_of(float32x4_t v)
{
    return (vgetq_lane_f32(v, 0) + vgetq_lane_f32(v, 1)) + (vgetq_lane_f32(v, 2) + vgetq_lane_f32(v, 3));
}

/* Products of a row of a with four columns of b, each by itself: four elements of them are the lanes. */
static inline float32x4_t along(const float *a, const float *b, ptrdiff_t b_col, int32_t left, int32_t k)
{
    const float *b1 = left > 1 ? b + b_col : b, *b2 = left > 2 ? b1 + b_col : b, *b3 = left > 3 ? b2 + b_col : b;
    float32x4_t s0 = vdupq_n_f32(0.0f), s1 = s0, s2 = s0, s3 = s0;
    int32_t i = 0;
    for (; i < k - 3; i += 4) {
        const float32x4_t v = vldrwq_f32(a + i);
        s0 = vfmaq_f32(s0, v, vldrwq_f32(b + i));
        s1 = vfmaq_f32(s1, v, vldrwq_f32(b1 + i));
        s2 = vfmaq_f32(s2, v, vldrwq_f32(b2 + i));
        s3 = vfmaq_f32(s3, v, vldrwq_f32(b3 + i));
    }
    if (i < k) {
        const mve_pred16_t p = vctp32q((uint32_t)(k - i));
        const float32x4_t v = vldrwq_z_f32(a + i, p);
        s0 = vfmaq_f32(s0, v, vldrwq_z_f32(b + i, p));
        s1 = vfmaq_f32(s1, v, vldrwq_z_f32(b1 + i, p));
        s2 = vfmaq_f32(s2, v, vldrwq_z_f32(b2 + i, p));
        s3 = vfmaq_f32(s3, v, vldrwq_z_f32(b3 + i, p));
    }
    const float sums[4] = {sum_of(s0), sum_of(s1), sum_of(s2), sum_of(s3)};
    return vldrwq_f32(sums);
}

/* Matrix products of floats, clipped to lo .. hi, four at a time.
 *
 * y [batch, m, n] = alpha * a [m, k] * b [k, n] + beta * c; any element strides for a, b and c (0 repeats); c may be NULL.
 * `walk` has four rows of `batch_rank` numbers: the dimensions of the batch, and the steps of a, b and c along them. */
void TW_KERNEL(const float *a, const float *b, const float *c, float *y, int32_t m, int32_t k, int32_t n, int32_t a_row,
               int32_t a_col, int32_t b_row, int32_t b_col, int32_t c_row, int32_t c_col, float alpha, float beta,
               int32_t batch, int32_t batch_rank, const int32_t *walk, float lo, float hi)
{
    const struct finish f = {alpha, beta, lo, hi, vmulq_n_u32(vidupq_n_u32(0, 1), (uint32_t)c_col)};
    const struct steps steps = {k, a_row, a_col, b_row, b_col};
    for (int32_t t = 0; t < batch; t++, y += (ptrdiff_t)m * n) {
        const float *ta = a + tw_batch_offset(t, batch_rank, walk, walk + batch_rank);
        const float *tb = b + tw_batch_offset(t, batch_rank, walk, walk + 2 * batch_rank);
        const float *tc = c != NULL ? c + tw_batch_offset(t, batch_rank, walk, walk + 3 * batch_rank) : NULL;
        for (int32_t i = 0; i < m; i += 4, ta += 4 * (ptrdiff_t)a_row) {
            const int32_t rows = m - i < 4 ? m - i : 4;
            for (int32_t o = 0; o < n; o += 4) {
                const mve_pred16_t p = vctp32q((uint32_t)(n - o));
                const float *pc = tc != NULL ? tc + i * c_row + o * c_col : NULL;
                float *at = y + i * n + o;
                float32x4_t sums[4];
                if (rows == 1 && a_col == 1 && b_row == 1) {
                    store(at, along(ta, tb + (ptrdiff_t)o * b_col, b_col, n - o, k), pc, &f, p);
                } else if (rows == 1 && a_col == 1 && b_col == 1 && n - o >= 16) {
                    row(ta, tb + o, b_row, k, sums);
                    for (int32_t j = 0; j < 4; j++) {
                        store(at + 4 * j, sums[j], pc != NULL ? pc + 4 * j * c_col : NULL, &f, 0xffff);
                    }
                    o += 12;
                } else {
                    rows_4(ta, rows, tb + (ptrdiff_t)o * b_col, n - o, &steps, sums);
                    for (int32_t r = 0; r < rows; r++, at += n, pc = pc != NULL ? pc + c_row : NULL) {
                        store(at, sums[r], pc, &f, p);
                    }
                }
            }
        }
    }
}
