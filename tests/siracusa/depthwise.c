/* Random depthwise convolutions: the cluster's kernel against the generic one. Compiled with X_T, Y_T, Y_BITS, Y_SIGNED. */
#include "common.h"

#if Y_BITS == 32
void ref(const X_T *x, const W_T *w, const int32_t *bias, Y_T *y, int32_t n, int32_t channels, int32_t multiplier,
         int32_t in_d, int32_t in_h, int32_t in_w, int32_t out_d, int32_t out_h, int32_t out_w, int32_t kernel_d,
         int32_t kernel_h, int32_t kernel_w, int32_t stride_d, int32_t stride_h, int32_t stride_w, int32_t dil_d,
         int32_t dil_h, int32_t dil_w, int32_t pad_front, int32_t pad_top, int32_t pad_left);
#else
void ref(const X_T *x, const W_T *w, const int32_t *bias, Y_T *y, int32_t n, int32_t channels, int32_t multiplier,
         int32_t in_d, int32_t in_h, int32_t in_w, int32_t out_d, int32_t out_h, int32_t out_w, int32_t kernel_d,
         int32_t kernel_h, int32_t kernel_w, int32_t stride_d, int32_t stride_h, int32_t stride_w, int32_t dil_d,
         int32_t dil_h, int32_t dil_w, int32_t pad_front, int32_t pad_top, int32_t pad_left, const int32_t *mul,
         const int32_t *add, int32_t mul_step, int32_t add_step, int shift, int32_t lo, int32_t hi);
#endif
void depthwise(const X_T *x, const W_T *w, const int32_t *bias, Y_T *y, int32_t n, int32_t channels,
               int32_t multiplier, int32_t in_h, int32_t in_w, int32_t out_h, int32_t out_w, int32_t kernel_h,
               int32_t kernel_w, int32_t stride_h, int32_t stride_w, int32_t dil_h, int32_t dil_w, int32_t pad_top,
               int32_t pad_left, int32_t x_pixel, int32_t x_row, int32_t x_image, int32_t y_pixel, int32_t y_row,
               int32_t y_image, const int32_t *mul, const int32_t *add, int32_t mul_step, int32_t add_step, int shift,
               int32_t lo, int32_t hi);

void depthwise_any(const X_T *x, const W_T *w, const int32_t *bias, Y_T *y, int32_t n, int32_t channels, int32_t in_h,
                   int32_t in_w, int32_t out_h, int32_t out_w, int32_t kernel_h, int32_t kernel_w, int32_t stride_h,
                   int32_t stride_w, int32_t dil_h, int32_t dil_w, int32_t pad_top, int32_t pad_left, int32_t x_pixel,
                   int32_t x_row, int32_t x_image, int32_t y_pixel, int32_t y_row, int32_t y_image, const int32_t *mul,
                   const int32_t *add, int32_t mul_step, int32_t add_step, int shift, int32_t lo, int32_t hi, int fits);

/* One shape, on the kernel for any window or on the other. */
static void one(int any)
{
    const int three = pick(0, 4) != 0;
    const int kernel_h = three ? 3 : pick(1, 5), kernel_w = three ? 3 : pick(1, 5);
    const int channels = any ? 4 * pick(1, 3) : pick(1, 9), multiplier = !any && pick(0, 3) == 0 ? 2 : 1, n = pick(1, 2);
    const int in_h = pick(1, 12), in_w = pick(1, 12);
    const int stride_h = pick(0, 1) ? 1 : pick(1, 3), stride_w = pick(0, 1) ? 1 : pick(1, 3);
    const int dil_h = three ? 1 : pick(1, 2), dil_w = three ? 1 : pick(1, 2);
    const int reach_h = (kernel_h - 1) * dil_h + 1, reach_w = (kernel_w - 1) * dil_w + 1;
    const int top = pick(0, 3), left = pick(0, 3), behind_h = pick(0, 3), behind_w = pick(0, 3);
    const int out_h = (in_h + top + behind_h - reach_h) / stride_h + 1;
    const int out_w = (in_w + left + behind_w - reach_w) / stride_w + 1;
    const int out_c = channels * multiplier;
    if (in_h + top + behind_h < reach_h || in_w + left + behind_w < reach_w) {
        return;
    }
    const size_t y_bytes = (size_t)n * out_h * out_w * out_c * sizeof(Y_T);
    X_T *x = random_bytes((size_t)n * in_h * in_w * channels);
    W_T *w = random_bytes((size_t)out_c * kernel_h * kernel_w);
    int32_t *bias = pick(0, 1) ? random_words(out_c, -2000, 2000) : NULL;
    Y_T *expected = random_bytes(y_bytes), *y = random_bytes(y_bytes);
    /* Shifts so small leave room for what lo adds. */
    const int fitting = pick(0, 1);
    struct requant rq = fitting ? fitting_requant(out_c, Y_SIGNED, kernel_h * kernel_w * 255 * 255 + 2000)
                                : random_requant(out_c, Y_SIGNED);
    const int fits = fitting && rq.shift < 20;
#if Y_BITS == 32
    ref(x, w, bias, expected, n, channels, multiplier, 1, in_h, in_w, 1, out_h, out_w, 1, kernel_h, kernel_w, 1, stride_h,
        stride_w, 1, dil_h, dil_w, 0, top, left);
#else
    ref(x, w, bias, expected, n, channels, multiplier, 1, in_h, in_w, 1, out_h, out_w, 1, kernel_h, kernel_w, 1, stride_h,
        stride_w, 1, dil_h, dil_w, 0, top, left, rq.mul, rq.add, rq.mul_step, rq.add_step, rq.shift, rq.lo, rq.hi);
#endif
    if (any) {
        ON_ALL_CORES(depthwise_any(x, w, bias, y, n, channels, in_h, in_w, out_h, out_w, kernel_h, kernel_w, stride_h, stride_w,
                                   dil_h, dil_w, top, left, channels, in_w * channels, in_h * in_w * channels, out_c,
                                   out_w * out_c, out_h * out_w * out_c, rq.mul, rq.add, rq.mul_step, rq.add_step,
                                   rq.shift, rq.lo, rq.hi, fits));
    } else {
        ON_ALL_CORES(depthwise(x, w, bias, y, n, channels, multiplier, in_h, in_w, out_h, out_w, kernel_h, kernel_w, stride_h,
                           stride_w, dil_h, dil_w, top, left, channels, in_w * channels, in_h * in_w * channels, out_c,
                           out_w * out_c, out_h * out_w * out_c, rq.mul, rq.add, rq.mul_step, rq.add_step, rq.shift,
                           rq.lo, rq.hi));
    }
    char what[200];
    snprintf(what, sizeof what, "depthwise (any %d) %dx%dx%dx%d -> %dx%dx%d kernel %dx%d stride %dx%d pad %d %d shift %d", any, n, in_h,
             in_w, channels, out_h, out_w, out_c, kernel_h, kernel_w, stride_h, stride_w, top, left, rq.shift);
    compare(what, (const uint8_t *)expected, (const uint8_t *)y, y_bytes);
    free(x);
    free(w);
    free(bias);
    free(expected);
    free(y);
    free(rq.mul);
    free(rq.add);
}

int main(int argc, char **argv)
{
    const int rounds = argc > 1 ? atoi(argv[1]) : 500;
    for (int i = 0; i < rounds; i++) {
        one(i % 2);
    }
    return failures != 0;
}
