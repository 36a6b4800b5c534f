/* Two "layers" on four cores, with a transfer: what profiles and traces are made of. */
#include "test.h"

L1 volatile uint32_t tw_layer;
static L1 uint32_t data[256];
static uint32_t source[256];

void net_run(int core);
void kernel_long(int core);
void kernel_short(int core);

/* 300 iterations of three cycles, the last two cycles shorter. */
__attribute__((noinline)) void kernel_long(int core)
{
    __asm__ volatile(".option push\n.option norvc\n li t0, 300\n1: addi t0, t0, -1\n nop\n bnez t0, 1b\n"
                     ".option pop" : : "r"(core) : "t0");
}

__attribute__((noinline)) void kernel_short(int core)
{
    if (core == 0) {
        dma_wait(dma_start((uint32_t)data, (uint32_t)source, 1024, 1));
    }
}

__attribute__((noinline)) void net_run(int core)
{
    if (core == 0) {
        tw_layer = 0;
    }
    kernel_long(core);
    barrier(0);
    if (core == 0) {
        tw_layer = 1;
    }
    kernel_short(core);
    barrier(0);
    if (core == 0) {
        tw_layer = UINT32_MAX;
    }
    __asm__ volatile("");
}

void core_main(int core)
{
    REG(EU) = 1u << 16;
    if (core == 0) {
        tw_layer = UINT32_MAX;
        set_barrier(0, 15);
        REG(0x10200008) = 15;
    }
    barrier(0);
    net_run(core);
    barrier(0);
    if (core == 0) {
        /* Not aligned, three times. */
        for (int i = 0; i < 3; i++) {
            uint32_t value;
            __asm__ volatile("lw %0, 2(%1)" : "=r"(value) : "r"(data));
            data[4] = value;
        }
        REG(0x1a1040a0) = 0x80000000u;
    }
    for (;;) {
        barrier(1);
    }
}

int fc_main(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        source[i] = i;
    }
    start_cluster(1, UINT32_MAX);
    for (;;) {
        __asm__ volatile("wfi");
    }
}
