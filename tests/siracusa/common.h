/* What the tests of the cluster's kernels share: random numbers, exact allocations, packing, one call for each core. */
#ifndef COMMON_H
#define COMMON_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int tw_twin_core;
int tw_twin_cores = 1;

static uint64_t state = 88172645463325252u;

static uint32_t next_random(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 16);
}

/* low .. high */
static int32_t pick(int32_t low, int32_t high)
{
    return (int32_t)((int64_t)low + (int64_t)(next_random() % ((uint64_t)((int64_t)high - low) + 1)));
}

/* Exactly so many bytes, random or (one time in four) extreme ones; the sanitizer guards both ends. */
static void *random_bytes(size_t bytes)
{
    uint8_t *p = malloc(bytes != 0 ? bytes : 1);
    const int extreme = pick(0, 3) == 0;
    const uint8_t extremes[4] = {0x80, 0x7f, 0xff, 0x00};
    for (size_t i = 0; i < bytes; i++) {
        p[i] = extreme ? extremes[next_random() % 4] : (uint8_t)next_random();
    }
    return p;
}

static int32_t *random_words(size_t n, int32_t low, int32_t high)
{
    int32_t *p = malloc(n * 4 != 0 ? n * 4 : 4);
    for (size_t i = 0; i < n; i++) {
        p[i] = pick(low, high);
    }
    return p;
}

/* The layout `rows4` of docs/add-a-kernel.md. */
static uint8_t *pack_rows4(const uint8_t *from, int rows, int columns, int row_step, int column_step, int matrices)
{
    const int blocks = (rows + 3) / 4, words = (columns + 3) / 4;
    uint8_t *to = calloc((size_t)matrices * blocks * words * 16 + 1, 1);
    for (int t = 0; t < matrices; t++) {
        for (int r = 0; r < rows; r++) {
            for (int c = 0; c < columns; c++) {
                to[((t * blocks + r / 4) * words + c / 4) * 16 + r % 4 * 4 + c % 4] =
                    from[(size_t)t * rows * columns + (size_t)r * row_step + (size_t)c * column_step];
            }
        }
    }
    return to;
}

struct requant {
    int32_t *mul, *add;
    int mul_step, add_step, shift;
    int32_t lo, hi;
};

/* A requantisation that a network could have, or an odd one. */
static struct requant random_requant(int channels, int is_signed)
{
    struct requant rq;
    const int kind = pick(0, 5);
    rq.mul_step = pick(0, 1);
    rq.add_step = pick(0, 1);
    rq.shift = kind == 0 ? pick(0, 48) : pick(4, 18);
    if (kind == 1) {
        rq.mul = random_words(channels, INT32_MIN, INT32_MAX);
        rq.add = random_words(channels, INT32_MIN, INT32_MAX);
    } else {
        const int32_t most = kind == 2 ? 5000000 : 3000;
        rq.mul = random_words(channels, kind == 3 ? -most : 0, most);
        rq.add = random_words(channels, -1000000, 1000000);
    }
    rq.lo = is_signed ? (kind == 4 ? pick(-128, 0) : -128) : 0;
    rq.hi = is_signed ? (kind == 4 ? pick(0, 127) : 127) : (kind == 4 ? pick(0, 255) : 255);
    return rq;
}

/* One for which 32 bits suffice if no number to requantise is larger than `reach`. */
static inline struct requant fitting_requant(int channels, int is_signed, int32_t reach)
{
    struct requant rq = random_requant(channels, is_signed);
    const int32_t most = 1530000000 / reach / (pick(0, 1) ? 1 : 100);
    for (int i = 0; i < channels; i++) {
        rq.mul[i] = pick(-most, most);
        rq.add[i] = pick(-500000000, 500000000);
    }
    rq.shift = pick(0, 24);
    return rq;
}

static int failures;

static void compare(const char *what, const uint8_t *expected, const uint8_t *found, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (expected[i] != found[i]) {
            printf("%s: byte %zu of %zu is %d, expected %d\n", what, i, bytes, found[i], expected[i]);
            if (++failures > 5) {
                exit(1);
            }
            return;
        }
    }
}

/* Runs a call once for each core, cores in a random direction. */
#define ON_ALL_CORES(call)                                                                                            \
    do {                                                                                                              \
        static const int counts[5] = {1, 2, 3, 7, 8};                                                                 \
        const int down = pick(0, 1);                                                                                  \
        tw_twin_cores = counts[pick(0, 4)];                                                                           \
        for (int core = 0; core < tw_twin_cores; core++) {                                                            \
            tw_twin_core = down ? tw_twin_cores - 1 - core : core;                                                    \
            call;                                                                                                     \
        }                                                                                                             \
    } while (0)

#endif
