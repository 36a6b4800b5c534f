/*
 * The cluster's DMA: copies between L1 and L2 (or the weight memory) while the cores compute.
 *
 * A transfer is started by one core, with an address in L1 and one outside; it ends when tw_dma_wait() returns on
 * the core that started it. Up to 16 may be under way, some of them queued; starting one more waits for a place.
 * The L1 side is always contiguous. Until the end neither side may be written, nor the destination be read.
 *
 * The twin for hosts copies at once.
 */
#ifndef TW_DMA_H
#define TW_DMA_H

#include <stddef.h>
#include <stdint.h>

/* Which way: from outside into L1, or from L1 outside. */
enum { TW_DMA_OUT = 0, TW_DMA_IN = 1 };

/* For code where every instruction delays all cores. */
#define TW_ALWAYS __attribute__((always_inline)) static inline

/* A transfer under way. */
typedef uint32_t tw_dma;

#if defined(__riscv) && !defined(TW_TWIN)

/* MCHAN's port of the core that asks, and the words of its command. */
#define TW_MCHAN_COMMAND (*(volatile uint32_t *)0x00204400u)
#define TW_MCHAN_STATUS (*(volatile uint32_t *)0x00204404u)
#define TW_MCHAN_IN (1u << 17)
#define TW_MCHAN_INCREMENT (1u << 18)
#define TW_MCHAN_2D (1u << 19)
#define TW_MCHAN_EVENT (1u << 20)
/* A command's length has 17 bits. */
#define TW_MCHAN_MOST 0x10000u

/* The event unit's port of the core, and the DMA's event. */
#define TW_EVENT_MASK_AND (*(volatile uint32_t *)0x00204004u)
#define TW_EVENT_MASK_OR (*(volatile uint32_t *)0x00204008u)
#define TW_EVENT_WAIT_CLEAR 0x0020403cu
#define TW_DMA_EVENT (1u << 8)

/* One command: up to TW_MCHAN_MOST bytes, in rows of `row` that begin `stride` bytes apart outside. */
TW_ALWAYS void tw_dma_some(uintptr_t l1, uintptr_t outside, size_t bytes, size_t row, size_t stride, int in)
{
    const uint32_t way = (in ? TW_MCHAN_IN : 0) | TW_MCHAN_INCREMENT | TW_MCHAN_EVENT;
    const int dense = row == stride;
    TW_MCHAN_COMMAND = bytes | way | (dense ? 0 : TW_MCHAN_2D);
    TW_MCHAN_COMMAND = l1;
    TW_MCHAN_COMMAND = outside;
    if (!dense) {
        TW_MCHAN_COMMAND = row;
        TW_MCHAN_COMMAND = stride;
    }
}

static inline void tw_dma_rows(uintptr_t l1, uintptr_t outside, size_t rows, size_t row, size_t stride, int in)
{
    if (rows == 1 || row == stride) {
        size_t left = rows * row;
        while (left > 0) {
            const size_t bytes = left < TW_MCHAN_MOST ? left : TW_MCHAN_MOST;
            tw_dma_some(l1, outside, bytes, bytes, bytes, in);
            l1 += bytes;
            outside += bytes;
            left -= bytes;
        }
    } else if (row > TW_MCHAN_MOST) {
        for (; rows > 0; rows--) {
            tw_dma_rows(l1, outside, 1, row, row, in);
            l1 += row;
            outside += stride;
        }
    } else if (row > 0) {
        while (rows > 0) {
            const size_t some = rows * row <= TW_MCHAN_MOST ? rows : TW_MCHAN_MOST / row;
            tw_dma_some(l1, outside, some * row, row, stride, in);
            l1 += some * row;
            outside += some * stride;
            rows -= some;
        }
    }
}

/* A transfer without commands yet; all commands until the next tw_dma_open() of this core belong to it. */
TW_ALWAYS tw_dma tw_dma_open(void)
{
    return TW_MCHAN_COMMAND;
}

/* Whether a transfer has ended. */
static inline int tw_dma_done(tw_dma transfer)
{
    return ((TW_MCHAN_STATUS >> transfer) & 1) == 0;
}

/* Sleeps until a transfer has ended, and gives it back. */
static inline void tw_dma_wait(tw_dma transfer)
{
    if (!tw_dma_done(transfer)) {
        TW_EVENT_MASK_OR = TW_DMA_EVENT;
        while (!tw_dma_done(transfer)) {
            uint32_t events;
            /* p.elw: a load that sleeps until an event is there. */
            __asm__ volatile(".insn i 0x03, 6, %0, 0(%1)" : "=r"(events) : "r"(TW_EVENT_WAIT_CLEAR) : "memory");
        }
        TW_EVENT_MASK_AND = TW_DMA_EVENT;
    }
    TW_MCHAN_STATUS = 1u << transfer;
    __asm__ volatile("" ::: "memory");
}

#else

#include <string.h>

#define TW_MCHAN_MOST 0x10000u

static inline void tw_dma_some(uintptr_t l1, uintptr_t outside, size_t bytes, size_t row, size_t stride, int in)
{
    for (size_t i = 0; i < bytes; i += row, outside += stride) {
        memcpy((char *)(in ? l1 + i : outside), (char *)(in ? outside : l1 + i), row);
    }
}

static inline void tw_dma_rows(uintptr_t l1, uintptr_t outside, size_t rows, size_t row, size_t stride, int in)
{
    for (size_t i = 0; i < rows; i++) {
        char *inside = (char *)l1 + i * row;
        char *beyond = (char *)outside + i * stride;
        memcpy(in ? inside : beyond, in ? beyond : inside, row);
    }
}

static inline tw_dma tw_dma_open(void)
{
    return 0;
}

static inline int tw_dma_done(tw_dma transfer)
{
    (void)transfer;
    return 1;
}

static inline void tw_dma_wait(tw_dma transfer)
{
    (void)transfer;
}

#endif

/* `planes` times `rows` rows of `row` bytes; outside, rows begin `stride` bytes apart and planes `plane` bytes. */
static inline tw_dma tw_dma_3d(const void *l1, const void *outside, size_t planes, size_t plane, size_t rows,
                               size_t stride, size_t row, int in)
{
    const tw_dma transfer = tw_dma_open();
    for (size_t i = 0; i < planes; i++) {
        tw_dma_rows((uintptr_t)l1 + i * rows * row, (uintptr_t)outside + i * plane, rows, row, stride, in);
    }
    return transfer;
}

/* `rows` rows of `row` bytes, `stride` bytes apart outside. */
static inline tw_dma tw_dma_2d(const void *l1, const void *outside, size_t rows, size_t stride, size_t row, int in)
{
    return tw_dma_3d(l1, outside, 1, 0, rows, stride, row, in);
}

/* Contiguous bytes. */
static inline tw_dma tw_dma_1d(const void *l1, const void *outside, size_t bytes, int in)
{
    return tw_dma_3d(l1, outside, 1, 0, 1, bytes, bytes, in);
}

#endif
