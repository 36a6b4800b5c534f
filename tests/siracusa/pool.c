/* Random pools: the cluster's kernel against the generic one. Compiled with X_T. */
#include "common.h"

void ref(const X_T *x, X_T *y, int32_t n, int32_t channels, int32_t in_d, int32_t in_h, int32_t in_w, int32_t out_d,
         int32_t out_h, int32_t out_w, int32_t kernel_d, int32_t kernel_h, int32_t kernel_w, int32_t stride_d,
         int32_t stride_h, int32_t stride_w, int32_t dil_d, int32_t dil_h, int32_t dil_w, int32_t pad_front,
         int32_t pad_top, int32_t pad_left);
void pool(const X_T *x, X_T *y, int32_t n, int32_t channels, int32_t in_h, int32_t in_w, int32_t out_h, int32_t out_w,
          int32_t kernel_h, int32_t kernel_w, int32_t stride_h, int32_t stride_w, int32_t dil_h, int32_t dil_w,
          int32_t pad_top, int32_t pad_left, int32_t x_pixel, int32_t x_row, int32_t x_image, int32_t y_pixel,
          int32_t y_row, int32_t y_image);

void ref_average(const X_T *x, X_T *y, int32_t n, int32_t channels, int32_t in_d, int32_t in_h, int32_t in_w,
                 int32_t out_d, int32_t out_h, int32_t out_w, int32_t kernel_d, int32_t kernel_h, int32_t kernel_w,
                 int32_t stride_d, int32_t stride_h, int32_t stride_w, int32_t dil_d, int32_t dil_h, int32_t dil_w,
                 int32_t pad_front, int32_t pad_top, int32_t pad_left, int32_t pad_back, int32_t pad_bottom,
                 int32_t pad_right, int count_pads);
void average(const X_T *x, X_T *y, int32_t n, int32_t channels, int32_t in_h, int32_t in_w, int32_t out_h, int32_t out_w,
             int32_t kernel_h, int32_t kernel_w, int32_t stride_h, int32_t stride_w, int32_t dil_h, int32_t dil_w,
             int32_t pad_top, int32_t pad_left, int32_t x_pixel, int32_t x_row, int32_t x_image, int32_t y_pixel,
             int32_t y_row, int32_t y_image, int32_t pad_bottom, int32_t pad_right, int count_pads);

static void one(void)
{
    const int kernel_h = pick(1, 4), kernel_w = pick(1, 4), n = pick(1, 2), channels = pick(1, 21);
    const int in_h = pick(1, 9), in_w = pick(1, 9), stride_h = pick(1, 3), stride_w = pick(1, 3);
    const int top = pick(0, kernel_h - 1), left = pick(0, kernel_w - 1);
    const int behind_h = pick(0, kernel_h - 1), behind_w = pick(0, kernel_w - 1);
    const int out_h = (in_h + top + behind_h - kernel_h) / stride_h + 1;
    const int out_w = (in_w + left + behind_w - kernel_w) / stride_w + 1;
    const size_t all = (size_t)n * out_h * out_w * channels;
    if (in_h + top + behind_h < kernel_h || in_w + left + behind_w < kernel_w) {
        return;
    }
    X_T *x = random_bytes((size_t)n * in_h * in_w * channels), *expected = random_bytes(all), *y = random_bytes(all);
    ref(x, expected, n, channels, 1, in_h, in_w, 1, out_h, out_w, 1, kernel_h, kernel_w, 1, stride_h, stride_w, 1, 1, 1, 0,
        top, left);
    ON_ALL_CORES(pool(x, y, n, channels, in_h, in_w, out_h, out_w, kernel_h, kernel_w, stride_h, stride_w, 1, 1, top, left,
                      channels, in_w * channels, in_h * in_w * channels, channels, out_w * channels,
                      out_h * out_w * channels));
    compare("max pool", (const uint8_t *)expected, (const uint8_t *)y, all);
    const int count_pads = pick(0, 1);
    ref_average(x, expected, n, channels, 1, in_h, in_w, 1, out_h, out_w, 1, kernel_h, kernel_w, 1, stride_h, stride_w, 1, 1,
                1, 0, top, left, 0, behind_h, behind_w, count_pads);
    ON_ALL_CORES(average(x, y, n, channels, in_h, in_w, out_h, out_w, kernel_h, kernel_w, stride_h, stride_w, 1, 1, top, left,
                         channels, in_w * channels, in_h * in_w * channels, channels, out_w * channels,
                         out_h * out_w * channels, behind_h, behind_w, count_pads));
    compare("average pool", (const uint8_t *)expected, (const uint8_t *)y, all);
    free(x);
    free(expected);
    free(y);
}

int main(int argc, char **argv)
{
    const int rounds = argc > 1 ? atoi(argv[1]) : 500;
    for (int i = 0; i < rounds; i++) {
        one();
    }
    return failures != 0;
}
