/* Random normalisations and softmaxes of rows: the cluster's kernels against the generic ones. Compiled with X_T. */
#include "common.h"

void ref_rms(const X_T *x, const int32_t *weight, int8_t *y, int32_t rows, int32_t len, int32_t weight_step, int shift,
             int32_t lo, int32_t hi);
void rms(const X_T *x, const int32_t *weight, int8_t *y, int32_t rows, int32_t len, int32_t weight_step, int shift,
         int32_t lo, int32_t hi);
void ref_layer(const X_T *x, const int32_t *weight, const int32_t *bias, int8_t *y, int32_t rows, int32_t len,
               int32_t weight_step, int32_t bias_step, int shift);
void layer(const X_T *x, const int32_t *weight, const int32_t *bias, int8_t *y, int32_t rows, int32_t len,
           int32_t weight_step, int32_t bias_step, int shift);

void ref_softmax(const X_T *x, uint8_t *y, int32_t rows, int32_t len, int32_t a, int32_t b, int32_t c, int32_t log2,
                 uint32_t recip, int32_t top);
void softmax(const X_T *x, uint8_t *y, int32_t rows, int32_t len, int32_t a, int32_t b, int32_t c, int32_t log2,
             uint32_t recip, int32_t top, void *scratch);

void ref_ita(const X_T *x, uint8_t *y, int32_t rows, int32_t len, int32_t width, int32_t top);
void ita(const X_T *x, uint8_t *y, int32_t rows, int32_t len, int32_t width, uint32_t top);
void ref_scale(const X_T *x, const int8_t *weight, const int32_t *bias, int8_t *y, int32_t n, int32_t weight_len,
               int32_t bias_len, int32_t mul, int shift);
void scale(const X_T *x, const int8_t *weight, const int32_t *bias, int8_t *y, int32_t n, int32_t weight_len,
           int32_t bias_len, int32_t mul, int shift);
void ref_gelu(const X_T *x, int32_t *y, int32_t n, int32_t knee, int32_t one);
void gelu(const X_T *x, int32_t *y, int32_t n, int32_t knee, int32_t one);
void ref_swish(const X_T *x, int32_t *y, int32_t n, int32_t three, int32_t six, int32_t one_over_six);
void swish(const X_T *x, int32_t *y, int32_t n, int32_t three, int32_t six, int32_t one_over_six);

static void one_ita(void)
{
    const int rows = pick(1, 20), len = pick(1, 70), width = pick(1, 80), top = pick(1, 255);
    const size_t all = (size_t)rows * len;
    X_T *x = random_bytes(all);
    uint8_t *expected = random_bytes(all), *y = random_bytes(all);
    ref_ita(x, expected, rows, len, width, top);
    ON_ALL_CORES(ita(x, y, rows, len, width, (uint32_t)top));
    compare("softmax of powers of two", expected, y, all);
    free(x);
    free(expected);
    free(y);
}

static void elements(void)
{
    const int w_len = pick(1, 30), b_len = pick(0, 1) ? w_len * pick(1, 4) : pick(1, 30), n = w_len * b_len * pick(1, 3);
    const int32_t mul = pick(INT32_MIN, INT32_MAX), shift = pick(0, 24), knee = pick(0, 32768), one = pick(-(1 << 29), 1 << 29);
    X_T *x = random_bytes((size_t)n);
    int8_t *w = random_bytes((size_t)w_len);
    int32_t *b = random_words((size_t)b_len, INT32_MIN, INT32_MAX);
    uint8_t *expected = random_bytes((size_t)n * 4), *y = random_bytes((size_t)n * 4);
    ref_scale(x, w, b, (int8_t *)expected, n, w_len, b_len, mul, shift);
    ON_ALL_CORES(scale(x, w, b, (int8_t *)y, n, w_len, b_len, mul, shift));
    compare("scale and shift", expected, y, (size_t)n);
    ref_gelu(x, (int32_t *)expected, n, knee, one);
    ON_ALL_CORES(gelu(x, (int32_t *)y, n, knee, one));
    compare("integer GELU", expected, y, (size_t)n * 4);
    ref_swish(x, (int32_t *)expected, n, knee, one < 0 ? -one : one, mul);
    ON_ALL_CORES(swish(x, (int32_t *)y, n, knee, one < 0 ? -one : one, mul));
    compare("integer hard swish", expected, y, (size_t)n * 4);
    free(x);
    free(w);
    free(b);
    free(expected);
    free(y);
}

static void one_softmax(void)
{
    const int rows = pick(1, 20), len = pick(1, 70), a = pick(0, 3), b = pick(0, 200), c = pick(1, 5000);
    const int log2 = pick(1, 120), top = pick(1, 255);
    void *scratch = pick(0, 3) != 0 ? random_bytes(1024) : NULL;
    const uint32_t recip = (uint32_t)(((1 << 24) + log2 - 1) / log2);
    const size_t all = (size_t)rows * len;
    X_T *x = random_bytes(all);
    uint8_t *expected = random_bytes(all), *y = random_bytes(all);
    ref_softmax(x, expected, rows, len, a, b, c, log2, recip, top);
    ON_ALL_CORES(softmax(x, y, rows, len, a, b, c, log2, recip, top, scratch));
    compare("softmax", expected, y, all);
    free(scratch);
    free(x);
    free(expected);
    free(y);
}

static void one(void)
{
    const int rows = pick(1, 9), len = pick(1, 70), step = pick(0, 1), bias_step = pick(0, 1), shift = pick(0, 18);
    const int32_t most = pick(0, 3) == 0 ? INT32_MAX : pick(0, 1) ? 100000 << pick(0, 6) : 500;
    const size_t all = (size_t)rows * len;
    X_T *x = random_bytes(all);
    int32_t *weight = random_words((size_t)len, -most, most), *bias = random_words((size_t)len, -most, most);
    int8_t *expected = random_bytes(all), *y = random_bytes(all);
    ref_rms(x, weight, expected, rows, len, step, shift, -128, 127);
    ON_ALL_CORES(rms(x, weight, y, rows, len, step, shift, -128, 127));
    compare("rms norm", (const uint8_t *)expected, (const uint8_t *)y, all);
    ref_layer(x, weight, bias, expected, rows, len, step, bias_step, shift);
    ON_ALL_CORES(layer(x, weight, bias, y, rows, len, step, bias_step, shift));
    compare("layer norm", (const uint8_t *)expected, (const uint8_t *)y, all);
    free(x);
    free(weight);
    free(bias);
    free(expected);
    free(y);
}

int main(int argc, char **argv)
{
    const int rounds = argc > 1 ? atoi(argv[1]) : 500;
    for (int i = 0; i < rounds; i++) {
        one();
        one_softmax();
        one_ita();
        elements();
    }
    return failures != 0;
}
