/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_conv_dw_xp
#define X_T int8_t
#define X_MIN INT8_MIN
#define W_T int8_t
#define W_MIN INT8_MIN
#define B_T int32_t
#define Y_T int8_t
#define Y_BITS 8
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#define TW_X_SIGNED (X_MIN < 0)
#define TW_W_SIGNED (W_MIN < 0)
#include "tw_cluster.h"
#include "tw_depthwise.h"
#include "tw_requant_xp.h"
#include "tw_window.h"

/* Depthwise convolution of bytes in two dimensions, on all cores.
 *
 * x [n, in_h, in_w, channels] with steps x_pixel, x_row, x_image in bytes, w [channels * multiplier, kernel_h, kernel_w],
 * y [n, out_h, out_w, channels * multiplier] with steps in elements; bias may be NULL. mul and add have one element
 * (step 0) or one for each output channel (step 1); for a result of 32 bits they are NULL and nothing is requantised.
 * Three by three taps have a fast path along lines of the image, of rows or columns, whichever are longer. */

/* One dimension of the image. */
struct axis {
    int32_t in, out, kernel, stride, dilation, pad;
    ptrdiff_t x, y; /* steps in bytes, in elements */
    int32_t w;      /* step of the weights */
};

/* One output channel. */
struct channel {
    const uint8_t *x;
    const W_T *w;
    Y_T *y;
    int32_t bias, mul, add;
};

/* One output by its definition, at `i` along a and `j` along b. */
TW_NEVER_INLINE void one(const struct axis *a, const struct axis *b, const struct channel *c, const struct tw_rq *rq, int32_t i,
                int32_t j)
{
    const int32_t sa = i * a->stride - a->pad, sb = j * b->stride - b->pad;
    const int32_t a0 = tw_first_tap(sa, a->dilation, a->kernel), a1 = tw_end_tap(sa, a->dilation, a->kernel, a->in);
    const int32_t b0 = tw_first_tap(sb, b->dilation, b->kernel), b1 = tw_end_tap(sb, b->dilation, b->kernel, b->in);
    uint32_t acc = (uint32_t)c->bias;
    for (int32_t p = a0; p < a1; p++) {
        const X_T *x = (const X_T *)c->x + (sa + p * a->dilation) * a->x + (sb + b0 * b->dilation) * b->x;
        const W_T *w = c->w + p * a->w + b0 * b->w;
        for (int32_t q = b0; q < b1; q++) {
            acc = tw_mac(acc, (uint32_t)*x, (uint32_t)*w);
            x += b->dilation * b->x;
            w += b->w;
        }
    }
#if Y_BITS == 32
    (void)rq;
    c->y[i * a->y + j * b->y] = tw_signed(acc);
#else
    c->y[i * a->y + j * b->y] =
        (Y_T)tw_requant_wide(rq, tw_signed(acc), c->mul, c->add);
#endif
}

#if Y_BITS != 32
/* Whether the channel's requantisation fits 32 bits whatever x is; fills the weights of the columns, which lie side by
 * side if `turned`. Their fourth lanes hold what happens to be there: the masks of lines take them out. */
TW_NEVER_INLINE int prepare(struct tw_dw_lines *lines, const struct channel *c, const struct tw_rq *rq, int turned)
{
    uint32_t m[4] = {tw_load_word(c->w), tw_load_word(c->w + 3), tw_load_word(c->w + 5) >> 8, 0};
    uint32_t weight = 0;
    int64_t sum, largest;
    for (int k = 0; k < 3; k++) {
        weight = tw_sdotup_b(weight, TW_W_SIGNED ? tw_abs_b(m[k]) : m[k], 0x00010101u);
    }
    if (!turned) {
        tw_transpose_b(m);
    }
    for (int k = 0; k < 3; k++) {
        lines->w[k] = m[k];
    }
    if (rq->shift > 30 || c->mul == INT32_MIN) {
        return 0;
    }
    sum = (int64_t)c->bias * c->mul + (c->add + rq->half);
    largest = (int64_t)((TW_X_SIGNED ? 128 : 255) * (int32_t)weight) * (c->mul < 0 ? -c->mul : c->mul);
    lines->less = tw_signed((uint32_t)c->mul - 1u);
    lines->add = (int32_t)sum;
    return sum + largest < INT32_MAX && sum - largest > INT32_MIN && c->bias < (1 << 30) && c->bias > -(1 << 30);
}

/* Lines first .. end - 1, side by side along b; each is two lines of outputs if `pairs`. */
TW_NEVER_INLINE void describe(struct tw_dw_rows *to, const struct axis *b, int32_t first, int32_t end, int pairs)
{
    for (int32_t l = first; l < end; l++, to++) {
        const int32_t j = pairs ? 2 * l : l, row = j * b->stride - b->pad;
        ptrdiff_t x = row * b->x;
        to->w_mask = 0x00ffffffu;
        to->v_mask = 0xffffff00u;
        to->y[0] = j * b->y;
        to->y[1] = (pairs && j + 1 < b->out ? j + 1 : j) * b->y;
        if (row >= 0 && row + 4 <= b->in) {
            to->x[0] = x;
            to->x[1] = x += b->x;
            to->x[2] = x += b->x;
            to->x[3] = x + b->x;
            continue;
        }
        for (int r = 0; r < 4; r++) {
            const int32_t at = row + r;
            /* Rows that do not exist have weights of zero; any bytes will do. */
            to->x[r] = (at < 0 ? 0 : at < b->in ? at : b->in - 1) * b->x;
            if (at < 0 || at >= b->in) {
                to->w_mask &= ~(UINT32_C(0xff) << (8 * r));
                to->v_mask &= ~(UINT32_C(0xff) << (8 * r));
            }
        }
    }
}

TW_NEVER_INLINE void fast(const struct tw_dw_lines *lines, int32_t stride, int positive)
{
    if (stride == 1) {
        if (positive) {
            tw_dw_pair_positive(lines);
        } else {
            tw_dw_pair_symmetric(lines);
        }
    } else if (positive) {
        tw_dw_stride2_positive(lines);
    } else {
        tw_dw_stride2_symmetric(lines);
    }
}
#endif

/* Lines described at once. */
#define MOST 40

void TW_KERNEL(const X_T *x, const W_T *w, const B_T *bias, Y_T *y,
               int32_t n, int32_t channels, int32_t multiplier, int32_t in_h, int32_t in_w, int32_t out_h,
               int32_t out_w, int32_t kernel_h, int32_t kernel_w, int32_t stride_h, int32_t stride_w, int32_t dil_h,
               int32_t dil_w, int32_t pad_top, int32_t pad_left,
               int32_t x_pixel, int32_t x_row, int32_t x_image, int32_t y_pixel, int32_t y_row, int32_t y_image,
               const int32_t *mul, const int32_t *add, int32_t mul_step, int32_t add_step, int shift,
               int32_t lo, int32_t hi)
{
    const struct axis h = {in_h, out_h, kernel_h, stride_h, dil_h, pad_top, x_row, y_row, kernel_w};
    const struct axis v = {in_w, out_w, kernel_w, stride_w, dil_w, pad_left, x_pixel, y_pixel, 1};
    const struct tw_rq rq = tw_rq(mul, add, mul_step, add_step, shift, lo, hi, 0);
    const int three = kernel_h == 3 && kernel_w == 3 && dil_h == 1 && dil_w == 1;
    /* Lines go along a: the longer dimension, or the one whose stride the fast path knows. */
    const int along_h = stride_w > 2 || (stride_h <= 2 && out_h > out_w);
    const struct axis *a = along_h ? &h : &v, *b = along_h ? &v : &h;
    const int pairs = three && a->stride == 1 && b->stride == 1;
    const int32_t lines = pairs ? (b->out + 1) / 2 : b->out;
    const struct tw_range part = tw_split((size_t)channels * (size_t)multiplier * (size_t)n * (size_t)lines, 1);
    int32_t item = (int32_t)part.begin;
    const int32_t planes = tw_divide(item, lines);
    int32_t l = item - planes * lines, o = tw_divide(planes, n), image = planes - o * n;
    struct channel c = {NULL, NULL, NULL, 0, 0, 0};
#if Y_BITS != 32
    /* Outputs whose last column is on the image. */
    const int32_t room = a->in + a->pad - 3, most = room < 0 ? 0 : room / a->stride + 1;
    const int32_t count = most < a->out ? most : a->out, last = a->out - count;
    /* At most one more, which still has its other columns. */
    const int ends = last == 0 || (last == 1 && (a->out - 1) * a->stride + 1 - a->pad < a->in);
    const int regular = three && a->stride <= 2 && a->pad <= 1 && count > 0 && ends && (lo == 0 || lo == -hi - 1);
    struct tw_dw_rows rows[MOST];
    struct tw_dw_lines job = {NULL, NULL, rows, rows, a->x, a->y, {0, 0, 0}, 0, 0, shift, hi, a->pad, count, last};
    /* All lines are described once if there is room. */
    const int once = lines <= MOST;
    if (regular && once) {
        describe(rows, b, 0, lines, pairs);
    }
#endif
    while (item < (int32_t)part.end) {
        const int32_t left = (int32_t)part.end - item, some = lines - l < left ? lines - l : left;
        c.x = (const uint8_t *)x + (ptrdiff_t)image * x_image + (multiplier == 1 ? o : o / multiplier);
        c.y = y + (ptrdiff_t)image * y_image + o;
        c.w = w + (ptrdiff_t)o * kernel_h * kernel_w;
        c.bias = bias != NULL ? (int32_t)bias[o] : 0;
#if Y_BITS != 32
        c.mul = mul[o * mul_step];
        c.add = add[o * add_step];
        if (regular && prepare(&job, &c, &rq, along_h)) {
            job.x = c.x;
            job.y = (uint8_t *)c.y;
            for (int32_t done = 0; done < some; done += MOST) {
                const int32_t now = some - done < MOST ? some - done : MOST;
                if (!once) {
                    describe(rows, b, l + done, l + done + now, pairs);
                }
                job.row = once ? rows + l : rows;
                job.end = job.row + now;
                fast(&job, a->stride, lo == 0);
            }
        } else
#endif
        {
            const int32_t end = pairs ? 2 * (l + some) : l + some;
            for (int32_t j = pairs ? 2 * l : l; j < end && j < b->out; j++) {
                for (int32_t i = 0; i < a->out; i++) {
                    one(a, b, &c, &rq, i, j);
                }
            }
        }
        item += some;
        l = 0;
        if (++image == n) {
            image = 0;
            o++;
        }
    }
}
