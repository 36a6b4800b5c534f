/* The dot product of 1024 bytes: plain C, and Xpulp; with and without instruction caches. */
#include "dot.h"
#include "test.h"

static L1 uint8_t a[1024] __attribute__((aligned(4)));
static L1 int8_t b[1024] __attribute__((aligned(4)));

__attribute__((noinline)) static int32_t plain(const uint8_t *x, const int8_t *y, int n)
{
    int32_t sum = 0;
    for (int i = 0; i < n; i++) {
        sum += x[i] * y[i];
    }
    return sum;
}

__attribute__((noinline)) static int32_t pulp(const uint8_t *x, const int8_t *y, int n)
{
    return dot_product(SDOTUSP, x, y, n);
}

static uint32_t timed(int32_t (*dot)(const uint8_t *, const int8_t *, int), int32_t expected)
{
    uint32_t from = cycles();
    if (dot(a, b, 1024) != expected) {
        REG(0x1a1040a0) = 0x80000001u;
    }
    return (cycles() - from) * 100;
}

void core_main(int core)
{
    int32_t expected = 0;
    for (int i = 0; i < 1024; i++) {
        a[i] = (uint8_t)(i * 7);
        b[i] = (int8_t)(i * 13 - 100);
        expected += a[i] * b[i];
    }
    (void)core;
    put_row("dot_plain_off", timed(plain, expected));
    REG(0x10201400) = UINT32_MAX;
    timed(plain, expected);
    timed(pulp, expected);
    put_row("dot_plain", timed(plain, expected));
    put_row("dot_pulp", timed(pulp, expected));
    REG(0x1a1040a0) = 0x80000000u;
    for (;;) {
    }
}

int fc_main(void)
{
    start_cluster(1, 0);
    for (;;) {
        __asm__ volatile("wfi");
    }
}
