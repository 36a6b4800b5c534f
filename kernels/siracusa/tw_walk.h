/*
 * Parts of loops: how the cores share a kernel that was written for one.
 *
 * Call templates in parallel/ use this to give a kernel of another folder a part of its loops: fewer iterations of the
 * outermost one, and pointers to where the part begins.
 */
#ifndef TW_WALK_H
#define TW_WALK_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tw_batch.h"
#include "tw_cluster.h"

/*
 * This core's part of up to 8 nested loops whose results lie one after the other. The first loop that is long enough for
 * all cores is shared, or else one that is for most of them, or the longest, in every iteration of the loops outside it:
 *
 *     for (w = tw_walk(loops, loops, dims); tw_more(&w); tw_next(&w)) {
 *         kernel(x + tw_from(&w, strides), y + tw_to(&w), w.loops, w.dims, strides + w.skip);
 *     }
 */
struct tw_walk {
    struct tw_range part;
    /* Iterations of the part, then of the loops inside; how many loops that are. */
    int32_t dims[16];
    int32_t loops;
    /* Loops outside the shared one, and their iterations: of each, all, and the one under way. */
    int32_t skip;
    const int32_t *outside;
    int32_t outer;
    int32_t at;
    /* Iterations of the shared loop, and results of each. */
    int32_t size;
    int32_t each;
};

/* Shares one of the first `loops` of `all` loops; the others belong to each result. */
static inline struct tw_walk tw_walk(int32_t loops, int32_t all, const int32_t *dims)
{
    const int32_t cores = (int32_t)tw_core_count();
    struct tw_walk w;
    w.skip = 0;
    for (int32_t i = 1; i < loops && dims[w.skip] < cores; i++) {
        /* More calls are worth it for the cores that have nothing to do else, or few of them for long loops. */
        w.skip = dims[i] > dims[w.skip] && (2 * dims[w.skip] <= cores || dims[i] >= 8 * cores) ? i : w.skip;
    }
    w.outside = dims;
    w.outer = 1;
    for (int32_t i = 0; i < w.skip; i++) {
        w.outer *= dims[i];
    }
    w.at = 0;
    w.loops = loops - w.skip;
    memcpy(w.dims, dims + w.skip, (size_t)(all - w.skip) * sizeof(w.dims[0]));
    w.size = w.dims[0];
    w.each = 1;
    for (int32_t i = 1; i < w.loops; i++) {
        w.each *= w.dims[i];
    }
    w.part = tw_split((size_t)w.size, 1);
    w.dims[0] = (int32_t)(w.part.end - w.part.begin);
    return w;
}

static inline int tw_more(const struct tw_walk *w)
{
    return w->dims[0] > 0 && w->at < w->outer;
}

static inline void tw_next(struct tw_walk *w)
{
    w->at++;
}

/* Where an operand with these steps begins. */
static inline ptrdiff_t tw_from(const struct tw_walk *w, const int32_t *strides)
{
    ptrdiff_t from = (ptrdiff_t)w->part.begin * strides[w->skip];
    int32_t at = w->at;
    for (int32_t i = w->skip - 1; i >= 0; i--) {
        from += (ptrdiff_t)(at % w->outside[i]) * strides[i];
        at /= w->outside[i];
    }
    return from;
}

/* Where the results begin. */
static inline ptrdiff_t tw_to(const struct tw_walk *w)
{
    return ((ptrdiff_t)w->at * w->size + (ptrdiff_t)w->part.begin) * w->each;
}

/*
 * This core's part of the positions of a window over images with channels last: of the images, or of the one image's
 * planes, rows or columns, whichever is the first with more than one. The padding of the part may be negative: the
 * window then begins inside.
 */
struct tw_positions {
    int32_t n;
    int32_t out_d, out_h, out_w;
    int32_t pad_front, pad_top, pad_left;
    /* Whether there is anything to do; the first image and the first position of the result. */
    int any;
    ptrdiff_t image;
    ptrdiff_t position;
};

static inline struct tw_positions tw_positions(int32_t n, int32_t out_d, int32_t out_h, int32_t out_w,
                                               int32_t stride_d, int32_t stride_h, int32_t stride_w,
                                               int32_t pad_front, int32_t pad_top, int32_t pad_left)
{
    struct tw_positions p = {n, out_d, out_h, out_w, pad_front, pad_top, pad_left, 0, 0, 0};
    int32_t *const size = n > 1 ? &p.n : out_d > 1 ? &p.out_d : out_h > 1 ? &p.out_h : &p.out_w;
    const struct tw_range part = tw_split((size_t)*size, 1);
    const int32_t begin = (int32_t)part.begin;
    *size = (int32_t)part.end - begin;
    p.any = *size > 0;
    if (size == &p.n) {
        p.image = begin;
        p.position = (ptrdiff_t)begin * out_d * out_h * out_w;
    } else if (size == &p.out_d) {
        p.pad_front -= begin * stride_d;
        p.position = (ptrdiff_t)begin * out_h * out_w;
    } else if (size == &p.out_h) {
        p.pad_top -= begin * stride_h;
        p.position = (ptrdiff_t)begin * out_w;
    } else {
        p.pad_left -= begin * stride_w;
        p.position = begin;
    }
    return p;
}

#endif
