/* Counting cycles with the cluster's timer, and instructions with the cores' own counters. */
#include "tw_runtime.h"
#include "tw_soc.h"

/*
 * Performance counters of the cores: event 1, instructions; which events count; whether any does. The last two stand
 * where version 1.10 of the privileged architecture has room: 0x7a0 and 0x7a1 of older cores are the debugger's now.
 */
#define COUNTED "0x781"
#define COUNTED_EVENTS "0xcc0"
#define COUNTING "0xcc1"

/* In L1, which cores reach in one cycle. */
#define L1 __attribute__((section(".l1")))

L1 volatile uint32_t tw_layer;
L1 static volatile uint32_t instructions[16];
volatile uint32_t tw_measured_cycles;
volatile uint32_t tw_measured_instructions;

uint32_t tw_cycles(void)
{
    return TW_REGISTER(TW_CLUSTER_TIMER_COUNT);
}

void tw_measure_begin(void)
{
    __asm__ volatile("csrw " COUNTED ", zero");
    __asm__ volatile("csrw " COUNTED_EVENTS ", %0" ::"r"(1u << 1));
    tw_barrier();
    if (tw_core_id() == 0) {
        /* From zero, with the cluster's clock. */
        TW_REGISTER(TW_CLUSTER_TIMER) = 3;
    }
    __asm__ volatile("csrw " COUNTING ", %0" ::"r"(1));
}

void tw_measure_end(void)
{
    uint32_t counted;
    uint32_t cycles = 0;
    __asm__ volatile("csrw " COUNTING ", zero");
    if (tw_core_id() == 0) {
        cycles = tw_cycles();
    }
    __asm__ volatile("csrr %0, " COUNTED : "=r"(counted));
    instructions[tw_core_id()] = counted;
    tw_barrier();
    if (tw_core_id() == 0) {
        uint32_t sum = 0;
        for (int i = 0; i < tw_core_count(); i++) {
            sum += instructions[i];
        }
        tw_layer = UINT32_MAX;
        tw_measured_cycles = cycles;
        tw_measured_instructions = sum;
    }
}
