/* Eight cores multiply int8 matrices in L1: what simulators spend their time on. */
#include "dot.h"
#include "test.h"

#define N 64

static L1 int8_t a[N][N] __attribute__((aligned(4)));
static L1 int8_t b[N][N] __attribute__((aligned(4)));
static L1 int8_t c[N][N] __attribute__((aligned(4)));

static int32_t dot(const int8_t *x, const int8_t *y)
{
    return dot_product(SDOTSP, x, y, N);
}

void core_main(int core)
{
    REG(EU) = 1u << 16;
    if (core == 0) {
        set_barrier(0, 0xff);
        REG(0x10200008) = 0xff;
    }
    barrier(0);
    for (int i = core; i < N; i += 8) {
        for (int j = 0; j < N; j++) {
            a[i][j] = (int8_t)(i * 3 + j);
            b[i][j] = (int8_t)(i - j);
        }
    }
    for (int k = 0; k < 80; k++) {
        barrier(0);
        for (int i = core; i < N; i += 8) {
            for (int j = 0; j < N; j++) {
                const int32_t sum = dot(a[i], b[j]) >> 6;
                c[i][j] = (int8_t)(sum > 127 ? 127 : sum < -128 ? -128 : sum);
            }
        }
    }
    barrier(0);
    if (core == 0) {
        REG(0x1a1040a0) = 0x80000000u;
    }
    for (;;) {
        barrier(1);
    }
}

int fc_main(void)
{
    start_cluster(1, UINT32_MAX);
    for (;;) {
        __asm__ volatile("wfi");
    }
}
