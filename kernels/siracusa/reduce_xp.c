/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_reduce_xp
#define X_T float
#define Y_T float
#define ACC_T float
#define INIT 0.0f
#define STEP acc + v
#define SCALE 1.0f
#define RESULT acc
#define TW_SUM 1
#define X_BITS 32
#define X_MIN 0
#endif
/* tilewright: end */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tw_cluster.h"
#include "tw_rows.h"
#include "tw_xpulp.h"

/* One more element, or a partial result: folding is associative. */
static inline ACC_T tw_step(ACC_T acc, ACC_T v)
{
    return STEP;
}

#if TW_SUM && X_BITS == 8
/* Adds the bytes of a word, each as often as `times` says. */
static inline ACC_T tw_dot(ACC_T acc, uint32_t word, uint32_t times)
{
    return (ACC_T)(X_MIN < 0 ? tw_sdotsp_b((uint32_t)acc, word, times) : tw_sdotup_b((uint32_t)acc, word, times));
}
#endif

/* Moves to the next index of nested loops, innermost last; 0 behind the last one. */
static inline int tw_advance(int32_t loops, const int32_t *dims, const int32_t *strides, int32_t *index, ptrdiff_t *at)
{
    for (int32_t d = loops - 1; d >= 0; d--) {
        *at += strides[d];
        if (++index[d] < dims[d]) {
            return 1;
        }
        *at -= (ptrdiff_t)strides[d] * dims[d];
        index[d] = 0;
    }
    return 0;
}

/* n elements that follow each other. */
TW_ALWAYS_INLINE ACC_T tw_fold_run(ACC_T acc, const X_T *x, int32_t n)
{
    for (; n >= 4; n -= 4, x += 4) {
#if TW_SUM && X_BITS == 8
        const uint32_t word = tw_load_word(x);
        acc = tw_dot(acc, word, 0x01010101u);
#else
        const X_T a = x[0], b = x[1], c = x[2], d = x[3];
        acc = tw_step(tw_step(tw_step(tw_step(acc, (ACC_T)a), (ACC_T)b), (ACC_T)c), (ACC_T)d);
#endif
    }
    for (; n > 0; n--) {
        acc = tw_step(acc, (ACC_T)*x++);
    }
    return acc;
}

/* n times four neighbours, each into its own result. */
TW_ALWAYS_INLINE void tw_fold_four(ACC_T acc[4], const X_T *x, ptrdiff_t stride, int32_t n)
{
    ACC_T a = acc[0], b = acc[1], c = acc[2], d = acc[3];
    for (; n > 0; n--, x += stride) {
#if TW_SUM && X_BITS == 8
        const uint32_t word = tw_load_word(x);
        a = tw_dot(a, word, 0x00000001u);
        b = tw_dot(b, word, 0x00000100u);
        c = tw_dot(c, word, 0x00010000u);
        d = tw_dot(d, word, 0x01000000u);
#else
        const X_T p = x[0], q = x[1], r = x[2], s = x[3];
        a = tw_step(a, (ACC_T)p);
        b = tw_step(b, (ACC_T)q);
        c = tw_step(c, (ACC_T)r);
        d = tw_step(d, (ACC_T)s);
#endif
    }
    acc[0] = a;
    acc[1] = b;
    acc[2] = c;
    acc[3] = d;
}

/* One result over `loops` reduced dimensions. */
static ACC_T tw_fold(const X_T *x, int32_t loops, const int32_t *dims, const int32_t *strides)
{
    const int32_t n = dims[loops - 1];
    const ptrdiff_t stride = strides[loops - 1];
    int32_t index[8] = {0};
    ptrdiff_t at = 0;
    ACC_T acc = INIT;
    do {
        const X_T *from = x + at;
        if (stride == 1) {
            acc = tw_fold_run(acc, from, n);
        } else {
            for (int32_t i = 0; i < n; i++, from += stride) {
                acc = tw_step(acc, (ACC_T)*from);
            }
        }
    } while (tw_advance(loops - 1, dims, strides, index, &at));
    return acc;
}

/* `scale` is what a mean is multiplied or divided by. */
static inline Y_T tw_result(ACC_T acc, ACC_T scale)
{
    (void)scale;
    return (Y_T)(RESULT);
}

/*
 * Folds the elements over the reduced dimensions into one, for every index of the kept dimensions, on all cores. `dims` and
 * `strides` hold the kept ones (`keep` of them), then the reduced ones (`reduce` of them), outermost first; at most 8 each.
 * `count` elements make one result. Each core has some of the `results`; of less than there are cores, a part of each,
 * and core 0 joins the parts in their order: `scratch` has room for them.
 */
void TW_KERNEL(const X_T *x, Y_T *y, int32_t results, int32_t count, int32_t keep, int32_t reduce, const int32_t *dims,
               const int32_t *strides, void *scratch)
{
    const int32_t *const r_dims = dims + keep, *const r_strides = strides + keep;
    const ACC_T scale = SCALE;
    const int32_t cores = tw_core_count();
    const int shared = results < cores;
    const int32_t row = keep > 0 ? dims[keep - 1] : 1;
    const int fours = keep > 0 && strides[keep - 1] == 1 && row >= 4;
    struct tw_range part = {0, (size_t)results};
    ACC_T *partial = (ACC_T *)scratch + tw_core_id();
    int32_t cut[8], index[8] = {0};
    ptrdiff_t at = 0;
    size_t r, rest;
    memcpy(cut, r_dims, (size_t)reduce * sizeof(cut[0]));
    if (shared) {
        int32_t longest = 0;
        for (int32_t d = 1; d < reduce; d++) {
            longest = cut[d] > cut[longest] ? d : longest;
        }
        const struct tw_range mine = tw_split((size_t)cut[longest], 1);
        cut[longest] = (int32_t)(mine.end - mine.begin);
        count = cut[longest];
        x += (ptrdiff_t)mine.begin * r_strides[longest];
    } else {
        part = tw_split((size_t)results, fours && results >= 4 * cores ? 4 : 1);
    }
    rest = part.begin;
    for (int32_t d = keep - 1; d >= 0 && rest > 0; d--) {
        const size_t outside = (size_t)tw_divide((int32_t)rest, dims[d]);
        index[d] = (int32_t)(rest - outside * (size_t)dims[d]);
        at += (ptrdiff_t)index[d] * strides[d];
        rest = outside;
    }
    for (r = part.begin; r < part.end;) {
        if (!shared && fours && row - index[keep - 1] >= 4 && part.end - r >= 4) {
            int32_t inner[8] = {0};
            ptrdiff_t offset = at;
            ACC_T acc[4] = {INIT, INIT, INIT, INIT};
            do {
                tw_fold_four(acc, x + offset, r_strides[reduce - 1], cut[reduce - 1]);
            } while (tw_advance(reduce - 1, cut, r_strides, inner, &offset));
            y[r] = tw_result(acc[0], scale);
            y[r + 1] = tw_result(acc[1], scale);
            y[r + 2] = tw_result(acc[2], scale);
            y[r + 3] = tw_result(acc[3], scale);
            r += 4;
            index[keep - 1] += 3;
            at += 3;
        } else {
            const ACC_T acc = count > 0 ? tw_fold(x + at, reduce, cut, r_strides) : INIT;
            if (shared) {
                partial[(ptrdiff_t)r * cores] = acc;
            } else {
                y[r] = tw_result(acc, scale);
            }
            r++;
        }
        (void)tw_advance(keep, dims, strides, index, &at);
    }
    if (shared) {
        tw_barrier();
        /* In the twin, where one core runs behind the other, the last of them has all parts. */
        if (!TW_XPULP || tw_core_id() == 0) {
            const ACC_T *p = (const ACC_T *)scratch;
            for (int32_t i = 0; i < results; i++) {
                ACC_T acc = *p++;
                for (int32_t core = 1; core < cores; core++) {
                    acc = tw_step(acc, *p++);
                }
                y[i] = tw_result(acc, scale);
            }
        }
    }
}
