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
static void one(const struct axis *a, const struct axis *b, const struct channel *c, const struct tw_rq *rq, int32_t i,
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
        (Y_T)tw_requant_wide(tw_signed(acc), c->mul, c->add, rq->shift, rq->lo, rq->hi);
#endif
}

#if Y_BITS != 32
/* Whether the channel's requantisation fits 32 bits whatever x is; fills the weights of `line`, whose rows go along b. */
static int prepare(struct tw_dw_line *line, const struct axis *a, const struct axis *b, const struct channel *c,
                   const struct tw_rq *rq)
{
    int64_t sum, largest;
    int32_t weight = 0;
    for (int32_t k = 0; k < 3; k++) {
        uint32_t word = 0;
        for (int32_t r = 0; r < 3; r++) {
            const int32_t w = c->w[k * a->w + r * b->w];
            weight += w < 0 ? -w : w;
            word |= ((uint32_t)w & 0xffu) << (8 * r);
        }
        line->w[k] = word;
    }
    if (rq->shift > 30 || c->mul == INT32_MIN) {
        return 0;
    }
    sum = (int64_t)c->add + (rq->shift != 0 ? (int64_t)1 << (rq->shift - 1) : 0) + (int64_t)c->bias * c->mul;
    largest = (int64_t)(TW_X_SIGNED ? 128 : 255) * weight * (c->mul < 0 ? -c->mul : c->mul);
    line->mul = c->mul;
    line->add = (int32_t)sum;
    return sum + largest < INT32_MAX && sum - largest > INT32_MIN && c->bias < (1 << 30) && c->bias > -(1 << 30);
}

/* The bytes of up to four rows at column i. */
static uint32_t column(const struct tw_dw_line *line, const struct axis *a, int32_t i)
{
    uint32_t word = 0;
    if (i >= 0 && i < a->in) {
        for (int r = 0; r < 4; r++) {
            word |= (uint32_t)line->rows[r][i * a->x] << (8 * r);
        }
    }
    return word;
}

/* Lines j .. j + lines - 1 of outputs (one or two), which go along a. */
static void fast(struct tw_dw_line *line, const struct axis *a, const struct axis *b, const struct channel *c,
                 const struct tw_rq *rq, int32_t j, int32_t lines)
{
    const int32_t row = j * b->stride - b->pad, first = -a->pad;
    const uint32_t full[3] = {line->w[0], line->w[1], line->w[2]};
    /* Outputs whose last column is on the image. */
    const int32_t room = a->in - 3 + a->pad;
    const int32_t most = room < 0 ? 0 : room / a->stride + 1, main = most < a->out ? most : a->out;
    uint32_t w_mask = 0, v_mask = 0;
    for (int32_t r = 0; r < 4; r++) {
        const int32_t at = row + r, on = at >= 0 && at < b->in;
        /* Rows that do not exist have weights of zero; any bytes will do. */
        line->rows[r] = c->x + (at < 0 ? 0 : at < b->in ? at : b->in - 1) * b->x;
        w_mask |= on && r < 3 ? UINT32_C(0xff) << (8 * r) : 0;
        v_mask |= on && r > 0 && lines == 2 ? UINT32_C(0xff) << (8 * r) : 0;
    }
    for (int k = 0; k < 3; k++) {
        line->w[k] = full[k] & w_mask;
        line->v[k] = full[k] << 8 & v_mask;
    }
    line->y[0] = (uint8_t *)(c->y + j * b->y);
    line->y[1] = lines == 2 ? (uint8_t *)(c->y + (j + 1) * b->y) : line->y[0];
    if (a->stride == 1) {
        line->columns[0] = column(line, a, first);
        line->columns[1] = column(line, a, first + 1);
        for (int r = 0; r < 4; r++) {
            line->rows[r] += (first + 2) * a->x;
        }
        if (main > 0) {
            if (rq->lo == 0) {
                tw_dw_both_positive(line, main);
            } else {
                tw_dw_both_symmetric(line, main);
            }
        }
        if (main < a->out) {
            if (rq->lo == 0) {
                tw_dw_last_positive(line, a->out - main);
            } else {
                tw_dw_last_symmetric(line, a->out - main);
            }
        }
    } else {
        line->columns[1] = column(line, a, first);
        for (int r = 0; r < 4; r++) {
            line->rows[r] += (first + 1) * a->x;
        }
        if (main > 0) {
            if (rq->lo == 0) {
                tw_dw_stride2_positive(line, main);
            } else {
                tw_dw_stride2_symmetric(line, main);
            }
        }
        for (int32_t i = main; i < a->out; i++) {
            one(a, b, c, rq, i, j);
        }
    }
    for (int k = 0; k < 3; k++) {
        line->w[k] = full[k];
    }
}
#endif

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
    const struct tw_rq rq = {mul, add, mul_step, add_step, shift, lo, hi};
    const int three = kernel_h == 3 && kernel_w == 3 && dil_h == 1 && dil_w == 1;
    /* Lines go along a: the longer dimension, or the one whose stride the fast path knows. */
    const int along_h = stride_w > 2 || (stride_h <= 2 && out_h > out_w);
    const struct axis *a = along_h ? &h : &v, *b = along_h ? &v : &h;
    const int pairs = three && a->stride == 1 && b->stride == 1;
    const int32_t lines = pairs ? (b->out + 1) / 2 : b->out, all = n * lines;
    const struct tw_range part = tw_split((size_t)channels * (size_t)multiplier * (size_t)all, 1);
    int32_t now = -1;
    int quick = 0;
    struct channel c = {NULL, NULL, NULL, 0, 0, 0};
#if Y_BITS != 32
    struct tw_dw_line line;
    const int clips = lo == 0 || lo == -hi - 1;
    const int regular = three && clips && a->stride <= 2 && a->pad <= (a->stride == 1 ? 2 : 1);
    line.x_step = a->x;
    line.y_step = a->y;
    line.shift = shift;
    line.top = hi;
#endif
    for (int32_t item = (int32_t)part.begin; item < (int32_t)part.end; item++) {
        const int32_t o = item / all, rest = item - o * all, image = rest / lines, l = rest - image * lines;
        c.x = (const uint8_t *)x + (ptrdiff_t)image * x_image + o / multiplier;
        c.y = y + (ptrdiff_t)image * y_image + o;
        if (o != now) {
            now = o;
            c.w = w + (ptrdiff_t)o * kernel_h * kernel_w;
            c.bias = bias != NULL ? (int32_t)bias[o] : 0;
#if Y_BITS != 32
            c.mul = mul[o * mul_step];
            c.add = add[o * add_step];
            quick = regular && prepare(&line, a, b, &c, &rq);
#endif
        }
#if Y_BITS != 32
        if (quick) {
            const int32_t j = pairs ? 2 * l : l;
            fast(&line, a, b, &c, &rq, j, pairs && j + 1 < b->out ? 2 : 1);
            continue;
        }
#endif
        for (int32_t j = pairs ? 2 * l : l; j < (pairs ? 2 * l + 2 : l + 1) && j < b->out; j++) {
            for (int32_t i = 0; i < a->out; i++) {
                one(a, b, &c, &rq, i, j);
            }
        }
    }
    (void)quick;
    (void)rq;
}
