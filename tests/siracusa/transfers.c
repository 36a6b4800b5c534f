/* Transfers by the cluster's DMA, the micro-DMA and the cores: every byte must arrive, and none elsewhere. */
#include <string.h>

#include "../kernels/tw_dma.h"
#include "../kernels/tw_l3.h"
#include "tw_runtime.h"

#define SIZE 8192

static uint8_t outside[SIZE];
static uint8_t back[SIZE];
static uint8_t inside[SIZE] __attribute__((section(".l1"), aligned(4)));
static volatile int failed;

static void check(int ok, int number)
{
    if (!ok && failed == 0) {
        failed = number;
    }
}

/* Four contiguous pieces at once, in and out again. */
static void lines(void)
{
    tw_dma transfer[4];
    for (int i = 0; i < 4; i++) {
        transfer[i] = tw_dma_1d(inside + i * 100, outside + i * 1000, 100, TW_DMA_IN);
    }
    for (int i = 3; i >= 0; i--) {
        tw_dma_wait(transfer[i]);
        check(tw_dma_done(transfer[i]), 1);
        check(memcmp(inside + i * 100, outside + i * 1000, 100) == 0, 2);
    }
    memset(back, 0, sizeof(back));
    tw_dma_wait(tw_dma_1d(inside, back + 1, 400, TW_DMA_OUT));
    check(back[0] == 0 && back[401] == 0 && memcmp(back + 1, inside, 400) == 0, 3);
    tw_dma_wait(tw_dma_1d(inside, outside, 0, TW_DMA_IN));
    check(inside[0] == outside[0], 4);
}

/* A box of 5 planes of 7 rows of 9 bytes, out of planes of 20 rows of 30. */
static void boxes(void)
{
    tw_dma in = tw_dma_3d(inside, outside + 33, 5, 600, 7, 30, 9, TW_DMA_IN);
    tw_dma flat = tw_dma_2d(inside + 1000, outside, 6, 50, 20, TW_DMA_IN);
    tw_dma_wait(flat);
    tw_dma_wait(in);
    for (int p = 0; p < 5; p++) {
        for (int r = 0; r < 7; r++) {
            check(memcmp(inside + (p * 7 + r) * 9, outside + 33 + p * 600 + r * 30, 9) == 0, 5);
        }
    }
    for (int r = 0; r < 6; r++) {
        check(memcmp(inside + 1000 + r * 20, outside + r * 50, 20) == 0, 6);
    }
    memset(back, 0, sizeof(back));
    tw_dma_wait(tw_dma_3d(inside, back + 33, 5, 600, 7, 30, 9, TW_DMA_OUT));
    uint32_t sum = 0;
    for (int i = 0; i < SIZE; i++) {
        sum += back[i] != 0;
    }
    check(sum == 5 * 7 * 9, 7);
    for (int p = 0; p < 5; p++) {
        for (int r = 0; r < 7; r++) {
            const int at = 33 + p * 600 + r * 30;
            check(memcmp(back + at, outside + at, 9) == 0, 8);
        }
    }
}

/* More transfers than there are counters: each waits for the one sixteen before it. */
static void many(void)
{
    tw_dma transfer[40];
    for (int i = 0; i < 40; i++) {
        if (i >= 16) {
            tw_dma_wait(transfer[i - 16]);
        }
        transfer[i] = tw_dma_1d(inside + i * 64, outside + i * 128, 64, TW_DMA_IN);
    }
    for (int i = 24; i < 40; i++) {
        tw_dma_wait(transfer[i]);
    }
    for (int i = 0; i < 40; i++) {
        check(memcmp(inside + i * 64, outside + i * 128, 64) == 0, 9);
    }
}

/* To the RAM behind the HyperBus and back, two at once. */
static void bulk(void)
{
    tw_l3_open();
    const tw_l3 low = tw_l3_store(TW_L3_RAM, 4096, outside, 1000);
    const tw_l3 high = tw_l3_store(TW_L3_RAM, 8192, outside + 2000, 600);
    tw_l3_wait(high);
    tw_l3_wait(low);
    memset(back, 0, sizeof(back));
    const tw_l3 first = tw_l3_load(back + 4, TW_L3_RAM, 4096, 1000);
    const tw_l3 second = tw_l3_load(back + 2000, TW_L3_RAM, 8192, 600);
    tw_l3_wait(first);
    tw_l3_wait(second);
    check(memcmp(back + 4, outside, 1000) == 0 && back[3] == 0 && back[1004] == 0, 10);
    check(memcmp(back + 2000, outside + 2000, 600) == 0 && back[2600] == 0, 11);
}

/* By a core, with every alignment, overlaps and lengths; compared byte by byte. */
static void copies(void)
{
    for (int to = 0; to < 5; to++) {
        for (int from = 0; from < 5; from++) {
            for (int bytes = 0; bytes < 40; bytes += 1 + bytes / 8) {
                for (int i = 0; i < 64; i++) {
                    inside[i] = (uint8_t)(i + 1);
                    inside[64 + i] = 0;
                }
                memcpy(inside + 68 + to, inside + from, (size_t)bytes);
                memmove(inside + to, inside + from, (size_t)bytes);
                for (int i = 0; i < 60; i++) {
                    const int copied = i - 4 >= to && i - 4 < to + bytes;
                    const int moved = i >= to && i < to + bytes;
                    check(inside[64 + i] == (copied ? i - 4 - to + from + 1 : 0), 13);
                    check(inside[i] == (moved ? i - to + from + 1 : i + 1), 14);
                }
                memset(inside + to, 0xa5, (size_t)bytes);
                for (int i = 0; i < 60; i++) {
                    check((inside[i] == 0xa5) == (i >= to && i < to + bytes), 15);
                }
            }
        }
    }
}

static void run(void)
{
    tw_measure_begin();
    if (tw_core_id() == 0) {
        for (int i = 0; i < SIZE; i++) {
            outside[i] = (uint8_t)(1 + i % 251);
        }
        lines();
        boxes();
        many();
        copies();
    }
    tw_barrier();
    /* Every core has transfers of its own. */
    tw_dma_wait(tw_dma_1d(inside + tw_core_id() * 512, outside + tw_core_id() * 300, 300, TW_DMA_IN));
    check(memcmp(inside + tw_core_id() * 512, outside + tw_core_id() * 300, 300) == 0, 12);
    tw_barrier();
    if (tw_core_id() == 0) {
        bulk();
    }
    tw_measure_end();
}

int main(void)
{
    tw_cluster_start();
    tw_cluster_run(run);
    /* A second time: the cores wait for more work. */
    tw_cluster_run(run);
    tw_print("failed ");
    tw_print_number((uint32_t)failed);
    tw_print("\n");
    return failed;
}
