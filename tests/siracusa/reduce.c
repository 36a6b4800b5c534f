/* Random reductions: the cluster's kernels against the generic ones. Compiled with X_T. */
#include "common.h"

#include <math.h>

void ref_sum(const X_T *x, int32_t *y, int32_t count, int32_t keep, int32_t reduce, const int32_t *dims,
             const int32_t *strides);
void sum(const X_T *x, int32_t *y, int32_t results, int32_t count, int32_t keep, int32_t reduce, const int32_t *dims,
         const int32_t *strides, void *scratch);
void ref_mean(const X_T *x, X_T *y, int32_t count, int32_t keep, int32_t reduce, const int32_t *dims,
              const int32_t *strides);
void mean(const X_T *x, X_T *y, int32_t results, int32_t count, int32_t keep, int32_t reduce, const int32_t *dims,
          const int32_t *strides, void *scratch);
void ref_float_mean(const float *x, float *y, int32_t count, int32_t keep, int32_t reduce, const int32_t *dims,
                    const int32_t *strides);
void float_mean(const float *x, float *y, int32_t results, int32_t count, int32_t keep, int32_t reduce,
                const int32_t *dims, const int32_t *strides, void *scratch);
void ref_float_max(const float *x, float *y, int32_t count, int32_t keep, int32_t reduce, const int32_t *dims,
                   const int32_t *strides);
void float_max(const float *x, float *y, int32_t results, int32_t count, int32_t keep, int32_t reduce,
               const int32_t *dims, const int32_t *strides, void *scratch);

static void one(void)
{
    const int rank = pick(1, 4);
    int32_t shape[4], step[4], dims[4], strides[4];
    int32_t keep = 0, reduce = 0, results = 1, all = 1;
    int reduced[4];
    for (int d = rank - 1; d >= 0; d--) {
        shape[d] = pick(1, pick(0, 2) == 0 ? 20 : 5);
        step[d] = all;
        all *= shape[d];
        reduced[d] = pick(0, 1);
    }
    reduced[pick(0, rank - 1)] = 1;
    for (int pass = 0; pass < 2; pass++) {
        for (int d = 0; d < rank; d++) {
            if (reduced[d] == pass) {
                dims[keep + reduce] = shape[d];
                strides[keep + reduce] = step[d];
                results *= pass == 0 ? shape[d] : 1;
                keep += pass == 0;
                reduce += pass == 1;
            }
        }
    }
    const int32_t count = all / results;
    void *scratch = calloc((size_t)results * 8, 4);
    X_T *x = random_bytes((size_t)all);
    uint8_t *expected = random_bytes((size_t)results * 4), *y = random_bytes((size_t)results * 4);
    float *f = malloc((size_t)all * 4), *fe = malloc((size_t)results * 4), *fy = malloc((size_t)results * 4);
    for (int32_t i = 0; i < all; i++) {
        f[i] = (float)pick(-1000, 1000) / 256.0f;
    }
    ref_sum(x, (int32_t *)expected, count, keep, reduce, dims, strides);
    ON_ALL_CORES(sum(x, (int32_t *)y, results, count, keep, reduce, dims, strides, scratch));
    compare("sum", expected, y, (size_t)results * 4);
    ref_mean(x, (X_T *)expected, count, keep, reduce, dims, strides);
    memset(scratch, 0, (size_t)results * 32);
    ON_ALL_CORES(mean(x, (X_T *)y, results, count, keep, reduce, dims, strides, scratch));
    compare("mean", expected, y, (size_t)results);
    ref_float_max(f, fe, count, keep, reduce, dims, strides);
    memset(scratch, 0, (size_t)results * 32);
    ON_ALL_CORES(float_max(f, fy, results, count, keep, reduce, dims, strides, scratch));
    compare("largest float", (const uint8_t *)fe, (const uint8_t *)fy, (size_t)results * 4);
    ref_float_mean(f, fe, count, keep, reduce, dims, strides);
    memset(scratch, 0, (size_t)results * 32);
    ON_ALL_CORES(float_mean(f, fy, results, count, keep, reduce, dims, strides, scratch));
    for (int32_t i = 0; i < results; i++) {
        if (!(fabsf(fe[i] - fy[i]) <= 1e-6f)) {
            printf("mean of floats: %g, expected %g\n", (double)fy[i], (double)fe[i]);
            exit(1);
        }
    }
    free(scratch);
    free(x);
    free(expected);
    free(y);
    free(f);
    free(fe);
    free(fy);
}

int main(int argc, char **argv)
{
    const int rounds = argc > 1 ? atoi(argv[1]) : 500;
    for (int i = 0; i < rounds; i++) {
        one();
    }
    return failures != 0;
}
