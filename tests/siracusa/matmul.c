/* Random matrix products: the cluster's kernel against the generic one. Compiled with A_T, B_T, Y_T, Y_BITS, Y_SIGNED. */
#include "common.h"

#if Y_BITS == 32
void ref(const A_T *a, const B_T *b, const int32_t *c, int32_t *y, int32_t m, int32_t k, int32_t n, int32_t a_row,
         int32_t a_col, int32_t b_row, int32_t b_col, int32_t c_row, int32_t c_col, int32_t alpha, int32_t beta,
         int32_t batch, int32_t batch_rank, const int32_t *walk);
#else
void ref(const A_T *a, const B_T *b, const int32_t *c, Y_T *y, int32_t m, int32_t k, int32_t n, int32_t a_row,
         int32_t a_col, int32_t b_row, int32_t b_col, int32_t c_row, int32_t c_col, int32_t alpha, int32_t beta,
         int32_t batch, int32_t batch_rank, const int32_t *walk, const int32_t *mul, const int32_t *add,
         int32_t mul_row, int32_t mul_col, int32_t add_row, int32_t add_col, int32_t rq_inner, int32_t rq_count,
         int shift, int32_t lo, int32_t hi);
#endif
void matmul(const A_T *a, const B_T *b, const int32_t *c, Y_T *y, int32_t m, int32_t k, int32_t n, int32_t a_row,
            int32_t a_col, int32_t b_row, int32_t b_col, int32_t c_row, int32_t c_col, int32_t alpha, int32_t beta,
            int32_t batch, int32_t batch_rank, const int32_t *walk, int32_t y_row, int32_t y_batch,
            const int32_t *mul, const int32_t *add, int32_t mul_col, int32_t add_col, int shift, int32_t lo,
            int32_t hi, int fits, void *scratch, int32_t room);
void matmul_packed(const A_T *a, const B_T *b, const int32_t *c, Y_T *y, int32_t m, int32_t k, int32_t n, int32_t a_row,
                   int32_t a_col, int32_t b_row, int32_t b_col, int32_t c_row, int32_t c_col, int32_t alpha, int32_t beta,
                   int32_t batch, int32_t batch_rank, const int32_t *walk, int32_t y_row, int32_t y_batch,
                   const int32_t *mul, const int32_t *add, int32_t mul_col, int32_t add_col, int shift, int32_t lo,
                   int32_t hi, int fits, void *scratch, int32_t room);

#if Y_BITS != 32
void gemv(const A_T *a, const B_T *b, const int32_t *c, Y_T *y, int32_t words, int32_t n, const int32_t *mul,
          const int32_t *add, int32_t mul_step, int32_t add_step, int shift, int32_t lo, int32_t hi, int fits);
void dots(const A_T *a, const B_T *b, Y_T *y, int32_t m, int32_t k, int32_t n, int32_t a_row, int32_t a_col,
          int32_t b_row, int32_t b_col, int32_t batch, int32_t batch_rank, const int32_t *walk, const int32_t *mul,
          const int32_t *add, int32_t mul_step, int32_t add_step, int shift, int32_t lo, int32_t hi,
          int fits);
#endif

static void one(void)
{
    const int m = pick(0, 2) == 0 ? 1 : pick(1, 13), k = pick(0, 1) ? pick(1, 37) : 4 * pick(1, 9), n = pick(1, 18);
    const int outer = pick(1, 2), inner = pick(1, 3), batch = outer * inner;
    const int trans_a = pick(0, 2) == 0, trans_b = pick(0, 1), packed = pick(0, 1);
    const int share_b = pick(0, 1), c_rows = pick(0, 2), words = (k + 3) / 4;
    const int a_row = trans_a ? 1 : k, a_col = trans_a ? m : 1, b_row = trans_b ? 1 : n, b_col = trans_b ? k : 1;
    const int alpha = pick(0, 4) == 0 ? pick(-3, 3) : 1, beta = pick(0, 4) == 0 ? pick(-3, 3) : 1;
    const int in_words = a_col == 1 && k % 4 == 0 && alpha == 1 && c_rows != 2;
    const int room = 16 * words * (!in_words + !packed);
    /* dims, a, b, c: b is the same for the inner dimension or differs everywhere */
    int32_t walk[8] = {outer, inner, inner * m * k, m * k, share_b ? k * n : inner * k * n, share_b ? 0 : k * n, 0, 0};
    const int matrices = share_b ? outer : batch;
    A_T *a = random_bytes((size_t)batch * m * k);
    B_T *b = random_bytes((size_t)matrices * k * n);
    B_T *b_packed = (B_T *)pack_rows4((const uint8_t *)b, n, k, b_col, b_row, matrices);
    int32_t *c = c_rows == 0 ? NULL : random_words(c_rows == 2 ? m * n : n, -3000, 3000);
    const int c_row = c_rows == 2 ? n : 0;
    const size_t y_bytes = (size_t)batch * m * n * sizeof(Y_T);
    Y_T *expected = random_bytes(y_bytes), *y = random_bytes(y_bytes);
    uint8_t *scratch = room != 0 ? random_bytes(8 * (size_t)room) : NULL;
    /* 37 products, and what is added. */
    const int fits = pick(0, 1);
    struct requant rq = fits ? fitting_requant(n, Y_SIGNED, 37 * 255 * 128 + 3000) : random_requant(n, Y_SIGNED);
    /* Shifts so small leave room for what lo adds. */
    const int from_lo = fits && rq.shift < 20;
#if Y_BITS == 32
    ref(a, b, c, expected, m, k, n, a_row, a_col, b_row, b_col, c_row, 1, alpha, beta, batch, 2, walk);
#else
    ref(a, b, c, expected, m, k, n, a_row, a_col, b_row, b_col, c_row, 1, alpha, beta, batch, 2, walk, rq.mul, rq.add,
        0, rq.mul_step, 0, rq.add_step, 1, n, rq.shift, rq.lo, rq.hi);
#endif
    if (packed) {
        ON_ALL_CORES(matmul_packed(a, b_packed, c, y, m, k, n, a_row, a_col, b_row, b_col, c_row, 1, alpha, beta, batch, 2,
                                   walk, n, m * n, rq.mul, rq.add, rq.mul_step, rq.add_step, rq.shift, rq.lo, rq.hi, from_lo,
                                   scratch, room));
    } else {
        ON_ALL_CORES(matmul(a, b, c, y, m, k, n, a_row, a_col, b_row, b_col, c_row, 1, alpha, beta, batch, 2, walk, n,
                            m * n, rq.mul, rq.add, rq.mul_step, rq.add_step, rq.shift, rq.lo, rq.hi, from_lo, scratch, room));
    }
    char what[200];
    snprintf(what, sizeof what, "matmul %d x [%d,%d] * [%d,%d] trans %d %d packed %d c %d alpha %d beta %d shift %d", batch, m,
             k, k, n, trans_a, trans_b, packed, c_rows, alpha, beta, rq.shift);
    compare(what, (const uint8_t *)expected, (const uint8_t *)y, y_bytes);
#if Y_BITS != 32
    const int shifts = rq.shift >= 8 && rq.shift < 32;
    if (shifts && m == 1 && batch == 1 && in_words && beta == 1) {
        memset(y, 0x55, y_bytes);
        ON_ALL_CORES(gemv(a, b_packed, c, y, words, n, rq.mul, rq.add, rq.mul_step, rq.add_step, rq.shift, rq.lo, rq.hi,
                          fits));
        compare("gemv", (const uint8_t *)expected, (const uint8_t *)y, y_bytes);
    }
    if (shifts && alpha == 1 && c == NULL) {
        memset(y, 0x55, y_bytes);
        ON_ALL_CORES(dots(a, b, y, m, k, n, a_row, a_col, b_row, b_col, batch, 2, walk, rq.mul, rq.add, rq.mul_step,
                          rq.add_step, rq.shift, rq.lo, rq.hi, fits));
        compare("dots", (const uint8_t *)expected, (const uint8_t *)y, y_bytes);
    }
#endif
    free(a);
    free(b);
    free(b_packed);
    free(c);
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
        one();
    }
    return failures != 0;
}
