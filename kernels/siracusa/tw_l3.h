/*
 * Bulk memory behind the HyperBus: copies between L3 (HyperRAM, HyperFlash) and L2 by the SoC's micro-DMA.
 *
 * L3 has addresses of its own, from 0 for each chip. Two transfers may be under way at once; starting a third waits.
 * One core at a time, of the cluster or the fabric controller, may call this. tw_l3_open() comes first, once.
 */
#ifndef TW_L3_H
#define TW_L3_H

#include <stddef.h>
#include <stdint.h>

/* The chips on the bus. */
enum { TW_L3_RAM = 0, TW_L3_FLASH = 1 };

/* A transfer under way. */
typedef uint32_t tw_l3;

#define TW_L3_REGISTER(offset) (*(volatile uint32_t *)(0x1a102280u + (offset)))
/* Clocks of the micro-DMA's peripherals; the HyperBus is number 4. */
#define TW_L3_CLOCKS (*(volatile uint32_t *)0x1a102000u)
#define TW_L3_CLOCK (1u << 4)
/* Registers of all transfers. */
#define TW_L3_PAGE 0x100
#define TW_L3_LATENCY 0x104
#define TW_L3_MORE_LATENCY 0x108
#define TW_L3_SELECTED_MOST 0x10c
#define TW_L3_CHIP 0x120
#define TW_L3_FREE 0x124
/* Registers of one of the two transfers. */
#define TW_L3_TRANSFER 0x80
#define TW_L3_RX 0x00
#define TW_L3_TX 0x0c
#define TW_L3_COMMAND 0x18
#define TW_L3_ADDRESS 0x1c
#define TW_L3_STATUS 0x24
#define TW_L3_ROWS 0x28
#define TW_L3_ROWS_L2 0x34
#define TW_L3_READ 5
#define TW_L3_WRITE 1
#define TW_L3_ENABLE 0x10

/* Clocks the bus and sets the timing that HyperRAM wants after reset. */
static inline void tw_l3_open(void)
{
    TW_L3_CLOCKS |= TW_L3_CLOCK;
    TW_L3_REGISTER(TW_L3_MORE_LATENCY) = 1;
    TW_L3_REGISTER(TW_L3_LATENCY) = 6;
    TW_L3_REGISTER(TW_L3_SELECTED_MOST) = 0xffffffffu;
    /* The longest page: 1024 bytes. */
    TW_L3_REGISTER(TW_L3_PAGE) = 3;
}

static inline tw_l3 tw_l3_start(int chip, uint32_t address, const void *l2, size_t bytes, int read)
{
    uint32_t transfer;
    do {
        transfer = TW_L3_REGISTER(TW_L3_FREE);
    } while (transfer > 1);
    const uint32_t base = transfer * TW_L3_TRANSFER;
    const uint32_t channel = base + (read ? TW_L3_RX : TW_L3_TX);
    TW_L3_REGISTER(TW_L3_CHIP) = (uint32_t)chip;
    TW_L3_REGISTER(base + TW_L3_ROWS) = 0;
    TW_L3_REGISTER(base + TW_L3_ROWS_L2) = 0;
    TW_L3_REGISTER(base + TW_L3_COMMAND) = read ? TW_L3_READ : TW_L3_WRITE;
    TW_L3_REGISTER(base + TW_L3_ADDRESS) = address;
    TW_L3_REGISTER(channel) = (uint32_t)(uintptr_t)l2;
    TW_L3_REGISTER(channel + 4) = bytes;
    TW_L3_REGISTER(channel + 8) = TW_L3_ENABLE;
    return transfer;
}

/*
 * Starts to copy from L3 into L2. It writes whole words: if `bytes` is not a multiple of 4, up to three bytes behind
 * the destination are lost too.
 */
static inline tw_l3 tw_l3_load(void *l2, int chip, uint32_t address, size_t bytes)
{
    return tw_l3_start(chip, address, l2, bytes, 1);
}

/* Starts to copy from L2 into L3; the flash cannot be written. */
static inline tw_l3 tw_l3_store(int chip, uint32_t address, const void *l2, size_t bytes)
{
    return tw_l3_start(chip, address, l2, bytes, 0);
}

/* Whether a transfer has ended. */
static inline int tw_l3_done(tw_l3 transfer)
{
    return (TW_L3_REGISTER(transfer * TW_L3_TRANSFER + TW_L3_STATUS) & 1) == 0;
}

/* Waits until a transfer has ended. */
static inline void tw_l3_wait(tw_l3 transfer)
{
    while (!tw_l3_done(transfer)) {
    }
    __asm__ volatile("" ::: "memory");
}

#endif
