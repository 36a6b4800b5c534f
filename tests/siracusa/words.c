/* Random products of 32-bit numbers, and sums with operands that repeat: the cluster's kernels against the generic ones. */
#include "common.h"

void ref_matmul(const int32_t *a, const int32_t *b, const int32_t *c, int32_t *y, int32_t m, int32_t k, int32_t n,
                int32_t a_row, int32_t a_col, int32_t b_row, int32_t b_col, int32_t c_row, int32_t c_col, int32_t alpha,
                int32_t beta, int32_t batch, int32_t batch_rank, const int32_t *walk);
void matmul(const int32_t *a, const int32_t *b, const int32_t *c, int32_t *y, int32_t m, int32_t k, int32_t n,
            int32_t a_row, int32_t a_col, int32_t b_row, int32_t b_col, int32_t c_row, int32_t c_col, int32_t alpha,
            int32_t beta, int32_t batch, int32_t batch_rank, const int32_t *walk);
void ref_binary(const int8_t *a, const uint8_t *b, int32_t *y, int32_t loops, const int32_t *dims, const int32_t *sa,
                const int32_t *sb);
void binary(const int8_t *a, const uint8_t *b, int32_t *y, int32_t rows, int32_t len, int32_t a_row, int32_t a_step,
            int32_t b_row, int32_t b_step);

static void product(void)
{
    const int m = pick(1, 13), k = pick(1, 20), n = pick(1, 18), outer = pick(1, 2), inner = pick(1, 3);
    const int batch = outer * inner, trans_a = pick(0, 1), trans_b = pick(0, 1), share_b = pick(0, 1), c_rows = pick(0, 2);
    const int32_t walk[8] = {outer, inner, inner * m * k, m * k, share_b ? k * n : inner * k * n, share_b ? 0 : k * n, 0, 0};
    const size_t all = (size_t)batch * m * n * 4;
    const int alpha = pick(0, 1) ? 1 : pick(-3, 3), beta = pick(0, 1) ? 1 : pick(-3, 3);
    int32_t *a = random_bytes((size_t)batch * m * k * 4);
    int32_t *b = random_bytes((size_t)(share_b ? outer : batch) * k * n * 4);
    int32_t *c = c_rows == 0 ? NULL : random_bytes((size_t)(c_rows == 2 ? m * n : n) * 4);
    uint8_t *expected = random_bytes(all), *y = random_bytes(all);
    const int a_row = trans_a ? 1 : k, a_col = trans_a ? m : 1, b_row = trans_b ? 1 : n, b_col = trans_b ? k : 1;
    const int c_row = c_rows == 2 ? n : 0;
    ref_matmul(a, b, c, (int32_t *)expected, m, k, n, a_row, a_col, b_row, b_col, c_row, 1, alpha, beta, batch, 2, walk);
    ON_ALL_CORES(matmul(a, b, c, (int32_t *)y, m, k, n, a_row, a_col, b_row, b_col, c_row, 1, alpha, beta, batch, 2, walk));
    compare("matmul of words", expected, y, all);
    free(a);
    free(b);
    free(c);
    free(expected);
    free(y);
}

static void sum(void)
{
    const int rows = pick(1, 20), len = pick(2, 40), kind = pick(0, 4);
    /* One of the operands is full, the other is full, a row, a column or one element. */
    const int row = kind == 0 ? len : kind == 2, step = kind < 2, swap = pick(0, 1);
    const int32_t dims[2] = {rows, len}, full[2] = {len, 1}, some[2] = {row, step};
    const size_t all = (size_t)rows * len;
    const int32_t *sa = swap ? some : full, *sb = swap ? full : some;
    int8_t *a = random_bytes((size_t)(rows - 1) * sa[0] + (size_t)(len - 1) * sa[1] + 1);
    uint8_t *b = random_bytes((size_t)(rows - 1) * sb[0] + (size_t)(len - 1) * sb[1] + 1);
    uint8_t *expected = random_bytes(all * 4), *y = random_bytes(all * 4);
    ref_binary(a, b, (int32_t *)expected, 2, dims, sa, sb);
    ON_ALL_CORES(binary(a, b, (int32_t *)y, rows, len, sa[0], sa[1], sb[0], sb[1]));
    compare("a function of two numbers", expected, y, all * 4);
    free(a);
    free(b);
    free(expected);
    free(y);
}

int main(int argc, char **argv)
{
    const int rounds = argc > 1 ? atoi(argv[1]) : 500;
    for (int i = 0; i < rounds; i++) {
        product();
        sum();
    }
    return failures != 0;
}
