/* Eight cores multiply int8 matrices in L1: what simulators spend their time on. */
#include "test.h"

#define N 64

static L1 int8_t a[N][N] __attribute__((aligned(4)));
static L1 int8_t b[N][N] __attribute__((aligned(4)));
static L1 int8_t c[N][N] __attribute__((aligned(4)));

static int32_t dot(const int8_t *x, const int8_t *y)
{
    int32_t sum = 0;
    uint32_t x0, x1, y0, y1;
    __asm__ volatile(".option push\n.option norvc\n"
                     " .insn i 0x7b, 4, x0, %[n], 12\n"
                     " .insn i 0x0b, 2, %[x0], 4(%[x])\n"
                     " .insn i 0x0b, 2, %[y0], 4(%[y])\n"
                     " .insn i 0x0b, 2, %[x1], 4(%[x])\n"
                     " .insn i 0x0b, 2, %[y1], 4(%[y])\n"
                     " .insn r 0x57, 1, 0x5c, %[sum], %[x0], %[y0]\n"
                     " .insn r 0x57, 1, 0x5c, %[sum], %[x1], %[y1]\n"
                     ".option pop"
                     : [sum] "+r"(sum), [x] "+r"(x), [y] "+r"(y), [x0] "=&r"(x0), [x1] "=&r"(x1),
                       [y0] "=&r"(y0), [y1] "=&r"(y1)
                     : [n] "r"(N / 8)
                     : "memory");
    return sum;
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
