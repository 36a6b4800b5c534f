/* Random products and convolutions of floats: the cluster's kernels against the generic ones, which add in another order. */
#include <math.h>

#include "common.h"

void ref_matmul(const float *a, const float *b, const float *c, float *y, int32_t m, int32_t k, int32_t n, int32_t a_row,
                int32_t a_col, int32_t b_row, int32_t b_col, int32_t c_row, int32_t c_col, float alpha, float beta,
                int32_t batch, int32_t batch_rank, const int32_t *walk, float lo, float hi);
void matmul(const float *a, const float *b, const float *c, float *y, int32_t m, int32_t k, int32_t n, int32_t a_row,
            int32_t a_col, int32_t b_row, int32_t b_col, int32_t c_row, int32_t c_col, float alpha, float beta,
            int32_t batch, int32_t batch_rank, const int32_t *walk, int32_t y_row, int32_t y_batch, float lo, float hi);
void ref_conv(const float *x, const float *w, const float *bias, float *y, int32_t n, int32_t group, int32_t group_in,
              int32_t group_out, int32_t in_d, int32_t in_h, int32_t in_w, int32_t out_d, int32_t out_h, int32_t out_w,
              int32_t kernel_d, int32_t kernel_h, int32_t kernel_w, int32_t stride_d, int32_t stride_h,
              int32_t stride_w, int32_t dil_d, int32_t dil_h, int32_t dil_w, int32_t pad_front, int32_t pad_top,
              int32_t pad_left, float lo, float hi);
void conv(const float *x, const float *w, const float *bias, float *y, int32_t n, int32_t in_h, int32_t in_w,
          int32_t out_h, int32_t out_w, int32_t group, int32_t group_in, int32_t group_out, int32_t kernel_h,
          int32_t kernel_w, int32_t stride_h, int32_t stride_w, int32_t dil_h, int32_t dil_w, int32_t pad_top,
          int32_t pad_left, int32_t x_pixel, int32_t x_row, int32_t x_image, int32_t y_pixel, int32_t y_row,
          int32_t y_image, float lo, float hi);

void ref_softmax(const float *x, float *y, int32_t outer, int32_t len, int32_t inner);
void softmax(const float *x, float *y, int32_t rows, int32_t len);
void ref_gelu(const float *x, float *y, int32_t n);
void gelu(const float *x, float *y, int32_t n);
void ref_gelu_tanh(const float *x, float *y, int32_t n);
void gelu_tanh(const float *x, float *y, int32_t n);

void ref_layer_norm(const float *x, const float *scale, const float *bias, float *y, float *mean, float *inv_std,
                    int32_t rows, int32_t len, int32_t scale_step, int32_t bias_step, float epsilon);
void layer_norm(const float *x, const float *scale, const float *bias, float *y, float *mean, float *inv_std,
                int32_t rows, int32_t len, int32_t scale_step, int32_t bias_step, float epsilon);
void ref_quantize(const float *x, uint8_t *y, int32_t outer, int32_t channels, int32_t inner, const float *scale,
                  const float *zero, int32_t step, int32_t add_last, int32_t lo, int32_t hi);
void quantize(const float *x, uint8_t *y, int32_t n, int32_t channels, int32_t inner, const float *scale,
              const float *zero, int32_t step, int32_t add_last, int32_t lo, int32_t hi);
void ref_depthwise(const float *x, const float *w, const float *bias, float *y, int32_t n, int32_t channels,
                   int32_t multiplier, int32_t in_d, int32_t in_h, int32_t in_w, int32_t out_d, int32_t out_h,
                   int32_t out_w, int32_t kernel_d, int32_t kernel_h, int32_t kernel_w, int32_t stride_d,
                   int32_t stride_h, int32_t stride_w, int32_t dil_d, int32_t dil_h, int32_t dil_w, int32_t pad_front,
                   int32_t pad_top, int32_t pad_left, float lo, float hi);
void depthwise(const float *x, const float *w, const float *bias, float *y, int32_t n, int32_t channels,
               int32_t multiplier, int32_t in_h, int32_t in_w, int32_t out_h, int32_t out_w, int32_t kernel_h,
               int32_t kernel_w, int32_t stride_h, int32_t stride_w, int32_t dil_h, int32_t dil_w, int32_t pad_top,
               int32_t pad_left, float lo, float hi);
typedef void pool_t(const float *x, float *y, int32_t n, int32_t channels, int32_t in_h, int32_t in_w, int32_t out_h,
                    int32_t out_w, int32_t kernel_h, int32_t kernel_w, int32_t stride_h, int32_t stride_w, int32_t dil_h,
                    int32_t dil_w, int32_t pad_top, int32_t pad_left, int32_t pad_bottom, int32_t pad_right,
                    int count_pads);
pool_t max_pool, mean_pool;
void ref_max_pool(const float *x, float *y, int32_t n, int32_t channels, int32_t in_d, int32_t in_h, int32_t in_w,
                  int32_t out_d, int32_t out_h, int32_t out_w, int32_t kernel_d, int32_t kernel_h, int32_t kernel_w,
                  int32_t stride_d, int32_t stride_h, int32_t stride_w, int32_t dil_d, int32_t dil_h, int32_t dil_w,
                  int32_t pad_front, int32_t pad_top, int32_t pad_left);
void ref_mean_pool(const float *x, float *y, int32_t n, int32_t channels, int32_t in_d, int32_t in_h, int32_t in_w,
                   int32_t out_d, int32_t out_h, int32_t out_w, int32_t kernel_d, int32_t kernel_h, int32_t kernel_w,
                   int32_t stride_d, int32_t stride_h, int32_t stride_w, int32_t dil_d, int32_t dil_h, int32_t dil_w,
                   int32_t pad_front, int32_t pad_top, int32_t pad_left, int32_t pad_back, int32_t pad_bottom,
                   int32_t pad_right, int count_pads);

static float *random_floats(size_t n)
{
    float *p = malloc(n * sizeof *p + 1);
    for (size_t i = 0; i < n; i++) {
        p[i] = (float)pick(-1000, 1000) / 500.0f;
    }
    return p;
}

static void close_within(const char *what, const float *expected, const float *found, size_t n, float error)
{
    for (size_t i = 0; i < n; i++) {
        if (!(fabsf(expected[i] - found[i]) <= error)) {
            printf("%s: %zu of %zu is %g, expected %g\n", what, i, n, (double)found[i], (double)expected[i]);
            exit(1);
        }
    }
}

static void close_enough(const char *what, const float *expected, const float *found, size_t n)
{
    close_within(what, expected, found, n, 1e-3f);
}

static void product(void)
{
    const int m = pick(1, 13), k = pick(1, 40), n = pick(1, 18), outer = pick(1, 2), inner = pick(1, 3);
    const int batch = outer * inner, trans_a = pick(0, 1), trans_b = pick(0, 1), share_b = pick(0, 1), c_rows = pick(0, 2);
    const int32_t walk[8] = {outer, inner, inner * m * k, m * k, share_b ? k * n : inner * k * n, share_b ? 0 : k * n, 0, 0};
    const size_t all = (size_t)batch * m * n;
    const float lo = pick(0, 1) ? -INFINITY : 0.0f, alpha = pick(0, 1) ? 1.0f : 0.5f, beta = pick(0, 1) ? 1.0f : -2.0f;
    float *a = random_floats((size_t)batch * m * k), *b = random_floats((size_t)batch * k * n);
    float *c = c_rows == 0 ? NULL : random_floats((size_t)(c_rows == 2 ? m * n : n));
    float *expected = random_floats(all), *y = random_floats(all);
    const int a_row = trans_a ? 1 : k, a_col = trans_a ? m : 1, b_row = trans_b ? 1 : n, b_col = trans_b ? k : 1;
    const int c_row = c_rows == 2 ? n : 0;
    ref_matmul(a, b, c, expected, m, k, n, a_row, a_col, b_row, b_col, c_row, 1, alpha, beta, batch, 2, walk, lo, INFINITY);
    ON_ALL_CORES(matmul(a, b, c, y, m, k, n, a_row, a_col, b_row, b_col, c_row, 1, alpha, beta, batch, 2, walk, n, m * n, lo,
                        INFINITY));
    close_enough("matmul", expected, y, all);
    free(a);
    free(b);
    free(c);
    free(expected);
    free(y);
}

static void convolution(void)
{
    const int group = pick(0, 2) == 0 ? pick(2, 4) : 1, group_in = pick(1, 6), group_out = pick(1, 9), n = pick(1, 2);
    const int kernel_h = pick(1, 4), kernel_w = pick(1, 4), in_h = pick(1, 9), in_w = pick(1, 13);
    const int stride_h = pick(1, 3), stride_w = pick(1, 3), dil_h = pick(1, 2), dil_w = pick(1, 2);
    const int reach_h = (kernel_h - 1) * dil_h + 1, reach_w = (kernel_w - 1) * dil_w + 1;
    const int top = pick(0, reach_h), left = pick(0, reach_w), behind_h = pick(0, 3), behind_w = pick(0, 3);
    const int out_h = (in_h + top + behind_h - reach_h) / stride_h + 1;
    const int out_w = (in_w + left + behind_w - reach_w) / stride_w + 1;
    const int in_c = group * group_in, out_c = group * group_out;
    const size_t all = (size_t)n * out_h * out_w * out_c;
    if (in_h + top + behind_h < reach_h || in_w + left + behind_w < reach_w) {
        return;
    }
    float *x = random_floats((size_t)n * in_h * in_w * in_c);
    float *w = random_floats((size_t)out_c * kernel_h * kernel_w * group_in);
    float *bias = pick(0, 1) ? random_floats((size_t)out_c) : NULL, *expected = random_floats(all), *y = random_floats(all);
    ref_conv(x, w, bias, expected, n, group, group_in, group_out, 1, in_h, in_w, 1, out_h, out_w, 1, kernel_h, kernel_w, 1,
             stride_h, stride_w, 1, dil_h, dil_w, 0, top, left, -1.5f, INFINITY);
    ON_ALL_CORES(conv(x, w, bias, y, n, in_h, in_w, out_h, out_w, group, group_in, group_out, kernel_h, kernel_w, stride_h,
                      stride_w, dil_h, dil_w, top, left, in_c, in_w * in_c, in_h * in_w * in_c, out_c, out_w * out_c,
                      out_h * out_w * out_c, -1.5f, INFINITY));
    close_enough("conv", expected, y, all);
    free(x);
    free(w);
    free(bias);
    free(expected);
    free(y);
}

static void depthwise_convolution(void)
{
    const int three = pick(0, 1), kernel_h = three ? 3 : pick(1, 4), kernel_w = three ? 3 : pick(1, 4), n = pick(1, 2);
    const int channels = pick(1, 6), multiplier = pick(0, 2) == 0 ? 2 : 1, in_h = pick(1, 9), in_w = pick(1, 13);
    const int stride_h = pick(1, 2), stride_w = pick(0, 1) ? 1 : pick(1, 3), dil = pick(0, 3) == 0 ? 2 : 1;
    const int reach_h = (kernel_h - 1) * dil + 1, reach_w = (kernel_w - 1) * dil + 1;
    const int top = pick(0, reach_h), left = pick(0, reach_w), behind_h = pick(0, 3), behind_w = pick(0, 3);
    const int out_h = (in_h + top + behind_h - reach_h) / stride_h + 1;
    const int out_w = (in_w + left + behind_w - reach_w) / stride_w + 1;
    const int out_c = channels * multiplier;
    const size_t all = (size_t)n * out_h * out_w * out_c;
    const float lo = pick(0, 1) ? -INFINITY : 0.0f;
    if (in_h + top + behind_h < reach_h || in_w + left + behind_w < reach_w) {
        return;
    }
    float *x = random_floats((size_t)n * in_h * in_w * channels);
    float *w = random_floats((size_t)out_c * kernel_h * kernel_w);
    float *bias = pick(0, 1) ? random_floats((size_t)out_c) : NULL;
    float *expected = random_floats(all), *y = random_floats(all);
    ref_depthwise(x, w, bias, expected, n, channels, multiplier, 1, in_h, in_w, 1, out_h, out_w, 1, kernel_h, kernel_w, 1,
                  stride_h, stride_w, 1, dil, dil, 0, top, left, lo, INFINITY);
    ON_ALL_CORES(depthwise(x, w, bias, y, n, channels, multiplier, in_h, in_w, out_h, out_w, kernel_h, kernel_w, stride_h,
                           stride_w, dil, dil, top, left, lo, INFINITY));
    close_within("depthwise", expected, y, all, 1e-4f);
    free(x);
    free(w);
    free(bias);
    free(expected);
    free(y);
}

static void pools(void)
{
    const int kernel_h = pick(1, 4), kernel_w = pick(1, 4), n = pick(1, 2), channels = pick(1, 11);
    const int in_h = pick(1, 9), in_w = pick(1, 9), stride_h = pick(1, 3), stride_w = pick(1, 3), dil = pick(1, 2);
    const int reach_h = (kernel_h - 1) * dil + 1, reach_w = (kernel_w - 1) * dil + 1, count_pads = pick(0, 1);
    const int top = pick(0, kernel_h - 1), left = pick(0, kernel_w - 1);
    const int behind_h = pick(0, kernel_h - 1), behind_w = pick(0, kernel_w - 1);
    const int out_h = (in_h + top + behind_h - reach_h) / stride_h + 1;
    const int out_w = (in_w + left + behind_w - reach_w) / stride_w + 1;
    if (in_h + top + behind_h < reach_h || in_w + left + behind_w < reach_w) {
        return;
    }
    const size_t all = (size_t)n * out_h * out_w * channels;
    float *x = random_floats((size_t)n * in_h * in_w * channels), *expected = random_floats(all), *y = random_floats(all);
    if (dil == 1) {
        ref_max_pool(x, expected, n, channels, 1, in_h, in_w, 1, out_h, out_w, 1, kernel_h, kernel_w, 1, stride_h, stride_w,
                     1, dil, dil, 0, top, left);
        ON_ALL_CORES(max_pool(x, y, n, channels, in_h, in_w, out_h, out_w, kernel_h, kernel_w, stride_h, stride_w, dil, dil,
                              top, left, behind_h, behind_w, 0));
        close_within("max pool", expected, y, all, 0.0f);
    }
    ref_mean_pool(x, expected, n, channels, 1, in_h, in_w, 1, out_h, out_w, 1, kernel_h, kernel_w, 1, stride_h, stride_w, 1,
                  dil, dil, 0, top, left, 0, behind_h, behind_w, count_pads);
    ON_ALL_CORES(mean_pool(x, y, n, channels, in_h, in_w, out_h, out_w, kernel_h, kernel_w, stride_h, stride_w, dil, dil, top,
                           left, behind_h, behind_w, count_pads));
    close_within("mean pool", expected, y, all, 1e-6f);
    free(x);
    free(expected);
    free(y);
}

static void rows(void)
{
    const int n = pick(1, 12), len = pick(1, 40), scale_step = pick(0, 1), bias_step = pick(0, 1);
    const size_t all = (size_t)n * len;
    float *x = random_floats(all), *expected = random_floats(all), *y = random_floats(all);
    float *scale = random_floats((size_t)len), *bias = pick(0, 2) ? random_floats((size_t)len) : NULL;
    float *mean = random_floats((size_t)n), *inv = random_floats((size_t)n), *more = random_floats(2 * (size_t)n);
    ref_layer_norm(x, scale, bias, expected, mean, inv, n, len, scale_step, bias_step, 1e-3f);
    ON_ALL_CORES(layer_norm(x, scale, bias, y, more, more + n, n, len, scale_step, bias_step, 1e-3f));
    close_within("layer norm", expected, y, all, 2e-5f);
    close_within("its mean", mean, more, (size_t)n, 1e-6f);
    close_within("its deviation", inv, more + n, (size_t)n, 1e-5f);
    free(x);
    free(expected);
    free(y);
    free(scale);
    free(bias);
    free(mean);
    free(inv);
    free(more);
}

/* Scales of any size, values in the middle between two results, large ones and no numbers. */
static void quantisation(void)
{
    const int outer = pick(1, 3), channels = pick(1, 5), inner = pick(1, 30), step = channels > 1, add_last = pick(0, 1);
    const size_t all = (size_t)outer * channels * inner;
    float *x = random_floats(all), *scale = random_floats((size_t)channels), *zero = random_floats((size_t)channels);
    uint8_t *expected = random_bytes(all), *y = random_bytes(all);
    for (int c = 0; c < channels; c++) {
        const int kind = pick(0, 9);
        scale[c] = kind == 0 ? 1e-38f : kind == 1 ? 1e35f : kind < 5 ? 0.25f : (float)pick(1, 1000000) * 1e-6f;
        zero[c] = (float)pick(0, 255);
    }
    for (size_t i = 0; i < all; i++) {
        const float s = scale[step ? i / (size_t)inner % (size_t)channels : 0];
        const int kind = pick(0, 30);
        x[i] = kind == 0 ? NAN : kind == 1 ? INFINITY : kind == 2 ? -1e30f : kind < 10 ? ((float)pick(-300, 300) + 0.5f) * s : (float)pick(-300000, 300000) * 1e-3f * s;
    }
    ref_quantize(x, expected, outer, channels, inner, scale, zero, step, add_last, 0, 255);
    ON_ALL_CORES(quantize(x, y, (int32_t)all, channels, inner, scale, zero, step, add_last, 0, 255));
    compare("quantisation", expected, y, all);
    free(x);
    free(scale);
    free(zero);
    free(expected);
    free(y);
}

static void functions(void)
{
    const int rows = pick(1, 9), len = pick(1, 40);
    const float scale = pick(0, 1) ? 1.0f : 60.0f;
    const size_t all = (size_t)rows * len;
    float *x = random_floats(all), *expected = random_floats(all), *y = random_floats(all);
    for (size_t i = 0; i < all; i++) {
        x[i] *= scale;
    }
    ref_softmax(x, expected, rows, len, 1);
    ON_ALL_CORES(softmax(x, y, rows, len));
    close_within("softmax", expected, y, all, 1e-6f);
    ref_gelu(x, expected, (int32_t)all);
    ON_ALL_CORES(gelu(x, y, (int32_t)all));
    close_within("gelu", expected, y, all, 1e-6f * scale);
    ref_gelu_tanh(x, expected, (int32_t)all);
    ON_ALL_CORES(gelu_tanh(x, y, (int32_t)all));
    close_within("gelu by tanh", expected, y, all, 1e-6f * scale);
    free(x);
    free(expected);
    free(y);
}

int main(int argc, char **argv)
{
    const int rounds = argc > 1 ? atoi(argv[1]) : 500;
    for (int i = 0; i < rounds; i++) {
        product();
        functions();
        rows();
        quantisation();
        pools();
        depthwise_convolution();
        convolution();
    }
    return failures != 0;
}
