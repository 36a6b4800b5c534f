/* Whole tensors on their way between L2 and L1: core 0 talks to the DMA. */
#include "../kernels/tw_stage.h"

#include "../kernels/tw_cluster.h"
#include "../kernels/tw_dma.h"
#include "../kernels/tw_l3.h"

/* In L1, which cores reach in one cycle. */
#define L1 __attribute__((section(".l1")))

/* A fetch that waits for the layer in parts to have started its own. */
struct later {
    int number;
    void *l1;
    const void *outside;
    uint32_t bytes;
};

L1 tw_dma tw_transfers[TW_TRANSFERS];
L1 static tw_l3 loads[TW_CHANNELS];
/* The channel that each of the bus's transfers was for at last. */
L1 static int latest[2];
L1 static struct later waiting[TW_LATER];
/* How many of them; L1 holds anything at start. */
L1 static uint32_t later;
L1 uint32_t tw_awaited_later;

void tw_stage_begin(void)
{
    if (tw_core_id() == 0) {
        later = 0;
        tw_awaited_later = 0;
    }
}

void tw_fetch_later(int number, void *l1, const void *outside, uint32_t bytes)
{
    struct later *l = &waiting[later++];
    l->number = number;
    l->l1 = l1;
    l->outside = outside;
    l->bytes = bytes;
}

void tw_stage_later(void)
{
    int open = -1;
    for (uint32_t i = 0; i < later; i++) {
        const struct later *l = &waiting[i];
        if (l->number != open) {
            open = l->number;
            tw_transfer(open);
        }
        tw_fetch(l->l1, l->outside, l->bytes);
    }
    later = 0;
}

void tw_stage_awaited(void)
{
    for (int number = 0; tw_awaited_later != 0; number++, tw_awaited_later >>= 1) {
        if ((tw_awaited_later & 1) != 0) {
            tw_await(number);
        }
    }
}

void tw_await(int number)
{
    tw_dma_wait(tw_transfers[number]);
}

static void started(int channel, tw_l3 transfer)
{
    loads[channel] = transfer;
    latest[transfer] = channel;
}

void tw_load(int channel, void *l2, uint32_t address, uint32_t bytes)
{
    if (tw_core_id() == 0) {
        started(channel, tw_l3_load(l2, TW_L3_FLASH, address, bytes));
    }
}

void tw_spill(int channel, uint32_t address, const void *l2, uint32_t bytes)
{
    if (tw_core_id() == 0) {
        started(channel, tw_l3_store(TW_L3_RAM, address, l2, bytes));
    }
}

void tw_reload(int channel, void *l2, uint32_t address, uint32_t bytes)
{
    if (tw_core_id() == 0) {
        started(channel, tw_l3_load(l2, TW_L3_RAM, address, bytes));
    }
}

void tw_loaded(int channel)
{
    if (tw_core_id() == 0) {
        /* If the bus has given its place to another since, it has ended. */
        if (latest[loads[channel]] == channel) {
            tw_l3_wait(loads[channel]);
        }
    }
}
