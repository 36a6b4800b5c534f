/* Random convolutions: the cluster's kernels against the generic ones. Compiled with X_T, Y_T, Y_BITS, Y_SIGNED. */
#include "common.h"

#if Y_BITS == 32
void ref(const X_T *x, const W_T *w, const int32_t *bias, int32_t *y, int32_t n, int32_t group, int32_t group_in,
         int32_t group_out, int32_t in_d, int32_t in_h, int32_t in_w, int32_t out_d, int32_t out_h, int32_t out_w,
         int32_t kernel_d, int32_t kernel_h, int32_t kernel_w, int32_t stride_d, int32_t stride_h, int32_t stride_w,
         int32_t dil_d, int32_t dil_h, int32_t dil_w, int32_t pad_front, int32_t pad_top, int32_t pad_left);
#else
void ref(const X_T *x, const W_T *w, const int32_t *bias, Y_T *y, int32_t n, int32_t group, int32_t group_in,
         int32_t group_out, int32_t in_d, int32_t in_h, int32_t in_w, int32_t out_d, int32_t out_h, int32_t out_w,
         int32_t kernel_d, int32_t kernel_h, int32_t kernel_w, int32_t stride_d, int32_t stride_h, int32_t stride_w,
         int32_t dil_d, int32_t dil_h, int32_t dil_w, int32_t pad_front, int32_t pad_top, int32_t pad_left,
         const int32_t *mul, const int32_t *add, int32_t mul_step, int32_t add_step, int shift, int32_t lo,
         int32_t hi);
#endif
void conv(const X_T *x, const W_T *w, const int32_t *bias, Y_T *y, int32_t n, int32_t in_h, int32_t in_w,
          int32_t out_h, int32_t out_w, int32_t group, int32_t group_in, int32_t group_out, int32_t kernel_h,
          int32_t kernel_w, int32_t stride_h, int32_t stride_w, int32_t dil_h, int32_t pad_top, int32_t pad_left,
          int32_t x_pixel, int32_t x_row, int32_t x_image, int32_t y_pixel, int32_t y_row, int32_t y_image,
          const int32_t *mul, const int32_t *add, int32_t mul_step, int32_t add_step, int shift, int32_t lo,
          int32_t hi, int fits);

void conv_copy(const X_T *x, const W_T *w, const int32_t *bias, Y_T *y, int32_t n, int32_t in_h, int32_t in_w,
               int32_t out_h, int32_t out_w, int32_t group, int32_t group_in, int32_t group_out, int32_t kernel_h,
               int32_t kernel_w, int32_t stride_h, int32_t stride_w, int32_t dil_h, int32_t dil_w, int32_t pad_top,
               int32_t pad_left, int32_t x_pixel, int32_t x_row, int32_t x_image, int32_t y_pixel, int32_t y_row,
               int32_t y_image, const int32_t *mul, const int32_t *add, int32_t mul_step, int32_t add_step, int shift,
               int32_t lo, int32_t hi, int fits, void *scratch, int32_t room);

void conv_pad(const X_T *x, const W_T *w, const int32_t *bias, Y_T *y, int32_t n, int32_t in_h, int32_t in_w,
              int32_t out_h, int32_t out_w, int32_t in_c, int32_t out_c, int32_t kernel_h, int32_t kernel_w,
              int32_t stride_h, int32_t stride_w, int32_t dil_h, int32_t pad_top, int32_t pad_left, const int32_t *mul,
              const int32_t *add, int32_t mul_step, int32_t add_step, int shift, int32_t lo, int32_t hi, int fits, void *scratch);

void conv_pw(const X_T *x, const W_T *w, const int32_t *bias, Y_T *y, int32_t pixels, int32_t in_c, int32_t out_c,
             const int32_t *mul, const int32_t *add, int32_t mul_step, int32_t add_step, int shift, int32_t lo, int32_t hi, int fits);

/* Rows of n bytes filled to words. */
static W_T *filled(const W_T *w, int rows, int n)
{
    const int words = (n + 3) / 4;
    W_T *to = calloc((size_t)rows * words, 4);
    for (int i = 0; i < rows; i++) {
        memcpy(to + i * 4 * words, w + i * n, (size_t)n);
    }
    return to;
}

/* The kernels: one copies windows, one works on its input, one copies the image; for windows of one tap there is another. */
enum way { WINDOWS, DIRECT, PADDED, POINTWISE };

/* One shape on one of them. */
static void one(enum way way)
{
    const int padded = way == PADDED, pointwise = way == POINTWISE, direct = way == DIRECT || pointwise;
    const int group = !padded && !pointwise && pick(0, 3) == 0 ? pick(2, 4) : 1;
    const int group_in = direct ? 4 * pick(1, 5) : pick(1, 13);
    const int group_out = group == 1 ? pick(1, 18) : 4 * pick(1, 3);
    const int kernel_h = pointwise ? 1 : pick(1, 5), kernel_w = pointwise || (group > 1 && direct) ? 1 : pick(1, 5);
    const int in_h = pick(1, 9), in_w = pick(1, 17), n = pick(1, 2);
    const int stride_h = pointwise ? 1 : pick(1, 3), stride_w = pointwise ? 1 : pick(1, 3), dil_h = pick(1, 2), dil_w = way != WINDOWS ? 1 : pick(1, 2);
    const int reach_h = (kernel_h - 1) * dil_h + 1, reach_w = (kernel_w - 1) * dil_w + 1;
    const int top = pointwise || pick(0, 1) ? 0 : pick(0, reach_h + 1), left = pointwise || pick(0, 1) ? 0 : pick(0, reach_w + 1);
    const int behind_h = pointwise ? 0 : pick(0, 3), behind_w = pointwise ? 0 : pick(0, 3);
    const int out_h = (in_h + top + behind_h - reach_h) / stride_h + 1;
    const int out_w = (in_w + left + behind_w - reach_w) / stride_w + 1;
    const int in_c = group * group_in, out_c = group * group_out, taps = kernel_h * kernel_w * group_in;
    if (in_h + top + behind_h < reach_h || in_w + left + behind_w < reach_w) {
        return;
    }
    const size_t y_bytes = (size_t)n * out_h * out_w * out_c * sizeof(Y_T);
    X_T *x = random_bytes((size_t)n * in_h * in_w * in_c);
    W_T *w = random_bytes((size_t)out_c * taps);
    const int run = padded ? kernel_w * group_in : taps, words = taps / run * ((run + 3) / 4);
    W_T *rows = filled(w, out_c * (taps / run), run);
    W_T *packed = (W_T *)pack_rows4((const uint8_t *)rows, out_c, 4 * words, 4 * words, 1, 1);
    int32_t *bias = pick(0, 1) ? random_words(out_c, -2000, 2000) : NULL;
    Y_T *expected = random_bytes(y_bytes), *y = random_bytes(y_bytes);
    /* Shifts so small leave room for what lo adds. */
    const int fitting = pick(0, 1);
    struct requant rq = fitting ? fitting_requant(out_c, Y_SIGNED, taps * 255 * 255 + 2000) : random_requant(out_c, Y_SIGNED);
    const int fits = fitting && rq.shift < 20;
#if Y_BITS == 32
    ref(x, w, bias, expected, n, group, group_in, group_out, 1, in_h, in_w, 1, out_h, out_w, 1, kernel_h, kernel_w, 1,
        stride_h, stride_w, 1, dil_h, dil_w, 0, top, left);
#else
    ref(x, w, bias, expected, n, group, group_in, group_out, 1, in_h, in_w, 1, out_h, out_w, 1, kernel_h, kernel_w, 1,
        stride_h, stride_w, 1, dil_h, dil_w, 0, top, left, rq.mul, rq.add, rq.mul_step, rq.add_step, rq.shift, rq.lo,
        rq.hi);
#endif
    const int room = (taps + 3) / 4 * 16 * pick(1, 3);
    const int pitch = (((out_w - 1) * stride_w + kernel_w) * group_in + 6) / 4 * 4;
    const int image = ((out_h - 1) * stride_h + (kernel_h - 1) * dil_h + 1) * pitch;
    uint8_t *scratch = direct ? NULL : random_bytes(padded ? (size_t)image : 8 * (size_t)room);
    if (pointwise) {
        ON_ALL_CORES(conv_pw(x, packed, bias, y, n * in_h * in_w, in_c, out_c, rq.mul, rq.add, rq.mul_step, rq.add_step,
                             rq.shift, rq.lo, rq.hi, fits));
    } else if (direct) {
        ON_ALL_CORES(conv(x, packed, bias, y, n, in_h, in_w, out_h, out_w, group, group_in, group_out, kernel_h, kernel_w,
                      stride_h, stride_w, dil_h, top, left, in_c, in_w * in_c, in_h * in_w * in_c, out_c,
                      out_w * out_c, out_h * out_w * out_c, rq.mul, rq.add, rq.mul_step, rq.add_step, rq.shift, rq.lo,
                      rq.hi, fits));
    } else if (padded) {
        ON_ALL_CORES(conv_pad(x, packed, bias, y, n, in_h, in_w, out_h, out_w, in_c, out_c, kernel_h, kernel_w, stride_h,
                              stride_w, dil_h, top, left, rq.mul, rq.add, rq.mul_step, rq.add_step, rq.shift, rq.lo,
                              rq.hi, fits, scratch));
    } else {
        ON_ALL_CORES(conv_copy(x, packed, bias, y, n, in_h, in_w, out_h, out_w, group, group_in, group_out, kernel_h,
                               kernel_w, stride_h, stride_w, dil_h, dil_w, top, left, in_c, in_w * in_c,
                               in_h * in_w * in_c, out_c, out_w * out_c, out_h * out_w * out_c, rq.mul, rq.add,
                               rq.mul_step, rq.add_step, rq.shift, rq.lo, rq.hi, fits, scratch, room));
    }
    char what[200];
    snprintf(what, sizeof what, "conv (way %d) %dx%dx%dx%d -> %dx%dx%d kernel %dx%d stride %dx%d dil %d pad %d %d group %d shift %d", way, n, in_h,
             in_w, in_c, out_h, out_w, out_c, kernel_h, kernel_w, stride_h, stride_w, dil_h, top, left, group, rq.shift);
    compare(what, (const uint8_t *)expected, (const uint8_t *)y, y_bytes);
    free(x);
    free(w);
    free(rows);
    free(packed);
    free(bias);
    free(expected);
    free(y);
    free(scratch);
    free(rq.mul);
    free(rq.add);
}

int main(int argc, char **argv)
{
    const int rounds = argc > 1 ? atoi(argv[1]) : 500;
    for (int i = 0; i < rounds; i++) {
        one((enum way)(i % 4));
    }
    return failures != 0;
}
