/* What the simulator's test programs share: registers, output, starting the cluster, waiting. */
#ifndef TEST_H
#define TEST_H

#include <stdint.h>

#define REG(address) (*(volatile uint32_t *)(address))
#define L1 __attribute__((section(".l1")))
#define EU 0x00204000u
#define MCHAN 0x00204400u

void _start(void);
void core_main(int core);
int fc_main(void);

static inline void put(const char *text)
{
    while (*text != 0) {
        REG(0x1a10f000) = (uint32_t)*text++;
    }
}

static inline void put_number(uint32_t number)
{
    char digits[11];
    int n = 10;
    digits[n] = 0;
    do {
        digits[--n] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    put(digits + n);
}

/* A line `name number`. */
static inline void put_row(const char *name, uint32_t number)
{
    put(name);
    put(" ");
    put_number(number);
    put("\n");
}

static inline int hart(void)
{
    uint32_t id;
    __asm__ volatile("csrr %0, mhartid" : "=r"(id));
    return (int)(id & 0x1f);
}

static inline uint32_t cycles(void)
{
    uint32_t now;
    __asm__ volatile("csrr %0, 0xb00" : "=r"(now) : : "memory");
    return now;
}

/* Starts the cores of a mask, with the instruction caches on or off. */
static inline void start_cluster(uint32_t cores, uint32_t caches)
{
    REG(0x10201400) = caches;
    for (uint32_t i = 0; i < 9; i++) {
        REG(0x10200040 + 4 * i) = (uint32_t)_start;
    }
    REG(0x10200008) = cores;
}

/* Cores of a mask meet at barrier `b`; one core has set it up with set_barrier. */
static inline void set_barrier(uint32_t b, uint32_t cores)
{
    REG(EU + 0x200 + 0x20 * b) = cores;
    REG(EU + 0x20c + 0x20 * b) = cores;
}

static inline void barrier(uint32_t b)
{
    uint32_t events;
    __asm__ volatile(".insn i 0x03, 6, %0, 0x1c(%1)" : "=r"(events) : "r"(EU + 0x200 + 0x20 * b) : "memory");
}

/* Waits for an event of the core's mask and clears it. */
static inline uint32_t wait_event(void)
{
    uint32_t events;
    __asm__ volatile(".insn i 0x03, 6, %0, 0x3c(%1)" : "=r"(events) : "r"(EU) : "memory");
    return events;
}

static inline uint32_t dma_start(uint32_t l1, uint32_t outside, uint32_t bytes, uint32_t in)
{
    const uint32_t counter = REG(MCHAN);
    REG(MCHAN) = bytes | in << 17 | 1u << 18;
    REG(MCHAN) = l1;
    REG(MCHAN) = outside;
    return counter;
}

static inline uint32_t dma_start_rows(uint32_t l1, uint32_t outside, uint32_t bytes, uint32_t in, uint32_t row,
                                      uint32_t stride)
{
    const uint32_t counter = REG(MCHAN);
    REG(MCHAN) = bytes | in << 17 | 1u << 18 | 1u << 19;
    REG(MCHAN) = l1;
    REG(MCHAN) = outside;
    REG(MCHAN) = row;
    REG(MCHAN) = stride;
    return counter;
}

static inline void dma_wait(uint32_t counter)
{
    while ((REG(MCHAN + 4) >> counter & 1) != 0) {
    }
    REG(MCHAN + 4) = 1u << counter;
}

#endif
