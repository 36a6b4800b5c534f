/* Random requantisations, sums and tables of bytes, elements in another order: the cluster's kernels against the generic ones. Compiled with X_T, A_T,
 * B_T and Y_T. */
#include "common.h"

void ref_requant(const X_T *x, const int32_t *mul, const int32_t *add, Y_T *y, int32_t outer, int32_t channels,
                 int32_t inner, int32_t mul_step, int32_t add_step, int shift, int32_t lo, int32_t hi);
void requant(const X_T *x, const int32_t *mul, const int32_t *add, Y_T *y, int32_t outer, int32_t channels,
             int32_t inner, int32_t mul_step, int32_t add_step, int shift, int32_t lo, int32_t hi, uint8_t *table);
void ref_add(const A_T *a, const B_T *b, const int32_t *mul, const int32_t *add, Y_T *y, int32_t loops,
             const int32_t *dims, const int32_t *steps, int shift, int32_t lo, int32_t hi);
void sum(const A_T *a, const B_T *b, const int32_t *mul, const int32_t *add, Y_T *y, int32_t rows, int32_t len,
         int32_t a_row, int32_t a_step, int32_t b_row, int32_t b_step, int shift, int32_t lo, int32_t hi, uint8_t *table);
void lookup(const A_T *x, const Y_T *table, Y_T *y, int32_t n);

void ref_strided(const X_T *x, X_T *y, int32_t offset, int32_t loops, const int32_t *dims, const int32_t *strides);
void strided(const X_T *x, X_T *y, int32_t offset, int32_t loops, const int32_t *dims, const int32_t *strides);

static void one_requant(void)
{
    const int outer = pick(1, 12), channels = pick(1, 12), inner = pick(0, 1) ? 1 : pick(1, 40);
    const size_t all = (size_t)outer * channels * inner;
    struct requant rq = X_BITS == 8 ? fitting_requant(channels, Y_SIGNED, 510) : random_requant(channels, Y_SIGNED);
    X_T *x = random_bytes(all * sizeof *x);
    uint8_t *expected = random_bytes(all), *y = random_bytes(all);
    uint8_t *table = sizeof *x == 1 && pick(0, 3) != 0 ? random_bytes(2368) : NULL;
    ref_requant(x, rq.mul, rq.add, (Y_T *)expected, outer, channels, inner, rq.mul_step, rq.add_step, rq.shift, rq.lo, rq.hi);
    ON_ALL_CORES(requant(x, rq.mul, rq.add, (Y_T *)y, outer, channels, inner, rq.mul_step, rq.add_step, rq.shift, rq.lo,
                         rq.hi, table));
    compare("requant", expected, y, all);
    free(rq.mul);
    free(rq.add);
    free(x);
    free(expected);
    free(y);
    free(table);
}

static void one_sum(void)
{
    const int rows = pick(1, 40), len = pick(1, 80), kind_a = pick(0, 3), kind_b = pick(0, 3);
    const size_t all = (size_t)rows * len;
    /* Kind 0: full, 1: one row, 2: one column, 3: one element. */
    const int a_row = kind_a == 0 ? len : kind_a == 2, a_step = kind_a < 2;
    const int b_row = kind_b == 0 ? len : kind_b == 2, b_step = kind_b < 2;
    const int32_t dims[2] = {rows, len}, steps[8] = {a_row, a_step, b_row, b_step, 0, 0, 0, 0};
    struct requant rq = fitting_requant(1, Y_SIGNED, 510);
    A_T *a = random_bytes((size_t)(rows - 1) * a_row + (size_t)(len - 1) * a_step + 1);
    B_T *b = random_bytes((size_t)(rows - 1) * b_row + (size_t)(len - 1) * b_step + 1);
    uint8_t *expected = random_bytes(all), *y = random_bytes(all), *table = pick(0, 3) != 0 ? random_bytes(512) : NULL;
    ref_add(a, b, rq.mul, rq.add, (Y_T *)expected, 2, dims, steps, rq.shift, rq.lo, rq.hi);
    ON_ALL_CORES(sum(a, b, rq.mul, rq.add, (Y_T *)y, rows, len, a_row, a_step, b_row, b_step, rq.shift, rq.lo, rq.hi,
                     table));
    compare("sum", expected, y, all);
    free(rq.mul);
    free(rq.add);
    free(a);
    free(b);
    free(expected);
    free(y);
    free(table);
}

static void one_lookup(void)
{
    const int n = pick(1, 300);
    A_T *x = random_bytes((size_t)n);
    uint8_t *table = random_bytes(256), *expected = random_bytes((size_t)n), *y = random_bytes((size_t)n);
    for (int i = 0; i < n; i++) {
        expected[i] = table[(uint8_t)x[i]];
    }
    ON_ALL_CORES(lookup(x, (const Y_T *)table, (Y_T *)y, n));
    compare("lookup", expected, y, (size_t)n);
    free(x);
    free(table);
    free(expected);
    free(y);
}

static void one_strided(void)
{
    /* A box of a larger one, its axes in any order, one perhaps backwards or repeated. */
    const int loops = pick(2, 4);
    int32_t dims[4], strides[4], order[4] = {0, 1, 2, 3}, size = 1, offset = 0;
    size_t all = 1;
    for (int d = 0; d < loops; d++) {
        const int other = pick(d, loops - 1), swap = order[d];
        order[d] = order[other];
        order[other] = swap;
    }
    for (int i = 0; i < loops; i++) {
        const int d = order[i], extent = pick(1, 9), first = pick(0, extent - 1), kind = pick(0, 5);
        dims[d] = kind == 0 ? extent : pick(1, extent - first);
        strides[d] = kind == 0 ? 0 : kind == 1 ? -size : size;
        offset += size * (kind == 1 ? first + dims[d] - 1 : first);
        size *= extent;
        all *= (size_t)dims[d];
    }
    X_T *x = random_bytes((size_t)size * sizeof *x);
    uint8_t *expected = random_bytes(all * sizeof *x), *y = random_bytes(all * sizeof *x);
    ref_strided(x, (X_T *)expected, offset, loops, dims, strides);
    ON_ALL_CORES(strided(x, (X_T *)y, offset, loops, dims, strides));
    compare("strided", expected, y, all * sizeof *x);
    free(x);
    free(expected);
    free(y);
}

int main(int argc, char **argv)
{
    const int rounds = argc > 1 ? atoi(argv[1]) : 500;
    for (int i = 0; i < rounds; i++) {
        one_requant();
        one_sum();
        one_lookup();
        one_strided();
    }
    return failures != 0;
}
