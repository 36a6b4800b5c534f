/* One mistake per CASE. */
#include "test.h"

static L1 uint8_t bytes[64];
static L1 uint32_t table[8];
static L1 uint32_t copy[8];
static L1 uint32_t window[1024];
static uint32_t far_window[1024];
static const uint32_t constants[4] = {1, 2, 3, 4};
/* The last thing in L1 that the program owns. */
__attribute__((section(".l1_last"))) uint8_t behind[16];
volatile uint32_t tw_layer;
volatile uint32_t sink;

uint32_t load(uint32_t address);

__attribute__((noinline)) uint32_t load(uint32_t address)
{
    return REG(address);
}

__attribute__((noinline)) static void culprit(int core)
{
    (void)core;
    (void)constants;
    (void)bytes;
    (void)far_window;
    (void)window;
    (void)copy;
    (void)table;
#if CASE == 1
    REG(0x10040000) = 1;
#elif CASE == 2
    *(volatile uint8_t *)0x1c200000 = 1;
#elif CASE == 3
    sink = load(0x20000000);
#elif CASE == 4
    sink = load(0x1003fffe);
#elif CASE == 5
    tw_layer = 3;
    *(volatile uint8_t *)((uint32_t)behind + 32) = 1;
#elif CASE == 6
    *(volatile uint32_t *)&constants[1] = 7;
#elif CASE == 7
    ((void (*)(void))0x1c100000)();
#elif CASE == 8
    table[0] = 1;
    sink = load((uint32_t)&table[3]) + 1;
#elif CASE == 9
    copy[0] = load((uint32_t)&table[3]);
    copy[1] = load((uint32_t)&copy[0]);
    copy[0] = 1;
    sink = load((uint32_t)&copy[0]) + 1;
#elif CASE == 10
    copy[0] = load((uint32_t)&table[3]);
    sink = load((uint32_t)&copy[0]) + 1;
#elif CASE == 11
    *(volatile uint8_t *)&bytes[5] = (uint8_t)core;
#elif CASE == 12
    if (core == 0) {
        *(volatile uint8_t *)&bytes[5] = 1;
    } else {
        for (int i = 0; i < 50; i++) {
            __asm__ volatile("nop");
        }
        sink = *(volatile uint8_t *)&bytes[5];
    }
#elif CASE == 13
    if (core == 1) {
        sink = *(volatile uint8_t *)&bytes[5];
    } else {
        for (int i = 0; i < 50; i++) {
            __asm__ volatile("nop");
        }
        *(volatile uint8_t *)&bytes[5] = 1;
    }
#elif CASE == 14
    *(volatile uint8_t *)&bytes[core] = (uint8_t)core;
    uint32_t value;
    REG(EU + 8) = 1u << 17;
    __asm__ volatile(".insn i 0x03, 6, %0, 0xc0(%1)" : "=r"(value) : "r"(EU) : "memory");
    table[1] = *(volatile uint32_t *)&table[0] + 1;
    *(volatile uint32_t *)&table[0] = 5;
    REG(EU + 0xc0) = 0;
    barrier(0);
    copy[core] = *(volatile uint8_t *)&bytes[1 - core];
#elif CASE == 15
    /* Both read, both wait, one writes; a third core sleeps all the time. */
    copy[core] = *(volatile uint8_t *)&bytes[5];
    barrier(0);
    if (core == 0) {
        *(volatile uint8_t *)&bytes[5] = 1;
    }
#elif CASE == 20
    if (core == 0) {
        dma_start((uint32_t)window, (uint32_t)far_window, 4096, 1);
        sink = load((uint32_t)&window[100]);
    }
#elif CASE == 21
    if (core == 0) {
        for (int i = 0; i < 1024; i++) {
            window[i] = 0;
        }
        dma_start((uint32_t)window, (uint32_t)far_window, 4096, 0);
        *(volatile uint32_t *)&window[100] = 1;
    }
#elif CASE == 22
    dma_start(0x1003ff00, (uint32_t)far_window, 4096, 1);
#elif CASE == 23
    dma_start((uint32_t)window, 0x1d000000, 64, 1);
#elif CASE == 24
    dma_start(0x10030000, (uint32_t)far_window, 64, 1);
#elif CASE == 25
    REG(MCHAN) = 64 | 1u << 17 | 1u << 18;
    REG(MCHAN) = (uint32_t)window;
    REG(MCHAN) = (uint32_t)far_window;
#elif CASE == 26
    dma_start((uint32_t)window, (uint32_t)far_window, 256, 1);
    dma_start((uint32_t)window + 128, (uint32_t)far_window, 128, 1);
#elif CASE == 27
    /* Long enough for the transfer to end, but nobody asks. */
    dma_start((uint32_t)window, (uint32_t)far_window, 64, 1);
    for (int i = 0; i < 200; i++) {
        __asm__ volatile("nop");
    }
    sink = load((uint32_t)window);
#elif CASE == 28
    REG(0x1a102280) = 0;
#elif CASE == 29 || CASE == 30
    const uint32_t hyper = 0x1a102280;
    REG(0x1a102000) = 1 << 4;
    REG(hyper + 0x120) = 0;
    REG(hyper + 0x18) = 5;
    REG(hyper + 0x1c) = CASE == 29 ? 0xfffff0 : 0x100;
    REG(hyper) = (uint32_t)far_window;
    REG(hyper + 4) = 32;
    REG(hyper + 8) = 0x10;
    while ((REG(hyper + 0x24) & 1) != 0) {
    }
    sink = load((uint32_t)far_window) + 1;
#elif CASE == 31
    const uint32_t hyper = 0x1a102280;
    REG(0x1a102000) = 1 << 4;
    REG(hyper + 0x120) = 0;
    REG(hyper + 0x18) = 1;
    REG(hyper + 0x1c) = 0x110;
    REG(hyper + 0x0c) = (uint32_t)far_window;
    REG(hyper + 0x10) = 32;
    REG(hyper + 0x14) = 0x10;
    /* The other channel. */
    REG(hyper + 0x98) = 5;
    REG(hyper + 0x9c) = 0x100;
    REG(hyper + 0x80) = (uint32_t)far_window + 64;
    REG(hyper + 0x84) = 32;
    REG(hyper + 0x88) = 0x10;
#elif CASE == 40
    __asm__ volatile(".word 0xffffffff");
#elif CASE == 41
    __asm__ volatile(".word 0x00b5202f"); /* amoadd.w */
#elif CASE == 42
    sink = load(0x10201000);
#elif CASE == 43
    sink = load(EU + 0x18);
#elif CASE == 44
    __asm__ volatile("ecall");
#elif CASE == 50
    for (;;) {
    }
#elif CASE == 51
    /* Core 0 does not come. */
    if (core != 0) {
        barrier(0);
    }
    for (;;) {
        barrier(5);
    }
#endif
}

void core_main(int core)
{
    REG(EU) = 1u << 16;
    if (core == 0) {
        set_barrier(0, 3);
        for (int i = 0; i < 64; i++) {
            bytes[i] = 0;
        }
#if CASE == 14
        table[0] = 0;
#endif
        REG(0x10200008) = CASE == 15 ? 7 : 3;
    }
    if (core == 2) {
        barrier(5);
    }
    barrier(0);
    /* Two cores are needed for races, and for one to wait for ever. */
    if (core == 0 || (CASE > 10 && CASE < 20) || CASE == 51) {
        culprit(core);
    }
    barrier(0);
    if (core == 0) {
        REG(0x1a1040a0) = 0x80000000u | (CASE == 52 ? 42 : 0);
    }
    for (;;) {
        barrier(5);
    }
}

int fc_main(void)
{
#if CASE == 45
    sink = load(EU + 0x10000000);
#endif
    start_cluster(1, UINT32_MAX);
    for (;;) {
        __asm__ volatile("wfi");
    }
}
