/*
 * Whole tensors on their way between L2 and L1 while layers are computed.
 *
 * Core 0 calls these, but for loads from flash, which every core calls. Transfers have numbers below TW_TRANSFERS, given by generated code, each
 * free again once it was waited for. A barrier must follow tw_await() before other cores read what came.
 */
#ifndef TW_STAGE_H
#define TW_STAGE_H

#include <stdint.h>

#include "tw_dma.h"

/* Transfers at once at most. */
#define TW_TRANSFERS 12

/* Fetches that come later at most. */
#define TW_LATER 32

/* Before the network runs. */
void tw_stage_begin(void);

/* Those under way. */
extern tw_dma tw_transfers[TW_TRANSFERS];

/* Opens a transfer: the copies started until the next one is opened belong to it. Like the copies it is written where it is
 * called: all cores wait for the one that calls it, and code that runs once costs most by its length. */
TW_ALWAYS void tw_transfer(int number)
{
    tw_transfers[number] = tw_dma_open();
}

TW_ALWAYS void tw_stage_copy(const void *l1, const void *outside, uint32_t bytes, int in)
{
    if (bytes <= TW_MCHAN_MOST) {
        tw_dma_some((uintptr_t)l1, (uintptr_t)outside, bytes, bytes, bytes, in);
    } else {
        tw_dma_rows((uintptr_t)l1, (uintptr_t)outside, 1, bytes, bytes, in);
    }
}

/* Starts to copy bytes into L1. */
TW_ALWAYS void tw_fetch(void *l1, const void *outside, uint32_t bytes)
{
    tw_stage_copy(l1, outside, bytes, TW_DMA_IN);
}

/* Starts to copy bytes out of L1. */
TW_ALWAYS void tw_store(const void *l1, void *outside, uint32_t bytes)
{
    tw_stage_copy(l1, outside, bytes, TW_DMA_OUT);
}

/* The same as tw_transfer() and tw_fetch(), but behind the last fetch of the layer in parts that follows. */
void tw_fetch_later(int number, void *l1, const void *outside, uint32_t bytes);

/* Starts what was to come later. */
void tw_stage_later(void);

/* Transfers over HyperBus at once at most; a third one waits until one of two is done before it starts. */
#define TW_CHANNELS 8

/* Starts to bring constants from the flash behind HyperBus into L2; a channel has one transfer at a time. */
void tw_load(int channel, void *l2, uint32_t address, uint32_t bytes);

/* Starts to put bytes of L2 into the RAM behind HyperBus, and to bring them back; whole words. */
void tw_spill(int channel, uint32_t address, const void *l2, uint32_t bytes);
void tw_reload(int channel, void *l2, uint32_t address, uint32_t bytes);

/* Returns when the channel's transfer has ended; on core 0, that is: the others return at once. */
void tw_loaded(int channel);

/* Returns when a transfer has ended. */
void tw_await(int number);

/* Bit n: transfer n, for which the layer in parts that follows waits before its first part. */
extern uint32_t tw_awaited_later;

TW_ALWAYS void tw_await_later(int number)
{
    tw_awaited_later |= UINT32_C(1) << number;
}

/* Waits for them. */
void tw_stage_awaited(void);

#endif
