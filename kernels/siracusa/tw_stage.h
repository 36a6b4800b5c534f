/*
 * Whole tensors on their way between L2 and L1 while layers are computed.
 *
 * Every core calls these; core 0 does the work. Transfers have numbers below TW_TRANSFERS, given by generated code, each
 * free again once it was waited for. A barrier must follow tw_await() before other cores read what came.
 */
#ifndef TW_STAGE_H
#define TW_STAGE_H

#include <stdint.h>

/* Transfers at once at most. */
#define TW_TRANSFERS 12

/* Fetches that come later at most. */
#define TW_LATER 32

/* Before the network runs. */
void tw_stage_begin(void);

/* Opens a transfer: the copies started until the next one is opened belong to it. */
void tw_transfer(int number);

/* Starts to copy bytes into L1. */
void tw_fetch(void *l1, const void *outside, uint32_t bytes);

/* Starts to copy bytes out of L1. */
void tw_store(const void *l1, void *outside, uint32_t bytes);

/* The same as tw_transfer() and tw_fetch(), but behind the last fetch of the layer in parts that follows. */
void tw_fetch_later(int number, void *l1, const void *outside, uint32_t bytes);

/* Starts what was to come later. Core 0 calls this. */
void tw_stage_later(void);

/* Starts to bring constants from the flash behind HyperBus into L2; `channel` is 0 or 1, one transfer each at a time. */
void tw_load(int channel, void *l2, uint32_t address, uint32_t bytes);

/* Returns when they are there; on core 0, that is: the others return at once. */
void tw_loaded(int channel);

/* Returns when a transfer has ended; on core 0, that is: the others return at once. */
void tw_await(int number);

#endif
