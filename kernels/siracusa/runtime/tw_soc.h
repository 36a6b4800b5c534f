/* Addresses of the chip that the runtime uses. */
#ifndef TW_SOC_H
#define TW_SOC_H

#include <stdint.h>

#define TW_REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))

/* The cluster as the fabric controller sees it: control unit, timer, event unit, instruction cache. */
#define TW_CLUSTER_FETCH 0x10200008u
#define TW_CLUSTER_CLOCK 0x10200020u
#define TW_CLUSTER_BOOT(core) (0x10200040u + 4u * (core))
#define TW_CLUSTER_TIMER 0x10200400u
#define TW_CLUSTER_TIMER_COUNT 0x10200408u
#define TW_CLUSTER_TRIGGER(event) (0x10200e00u + 4u * (event))
#define TW_CLUSTER_ICACHE 0x10201400u

/* The event unit as a core of the cluster sees its own part of it. */
#define TW_EU_MASK 0x00204000u
#define TW_EU_MASK_AND 0x00204004u
#define TW_EU_MASK_OR 0x00204008u
#define TW_EU_WAIT_CLEAR 0x0020403cu
#define TW_EU_BARRIER_CORES 0x00204200u
#define TW_EU_BARRIER_WAKES 0x0020420cu

/* The fabric controller's interrupts. */
#define TW_FC_MASK_SET 0x1a109804u
#define TW_FC_STATUS_SET 0x1a109810u
#define TW_FC_STATUS_CLEAR 0x1a109814u

/* Standard output, a byte at a time; exit. */
#define TW_STDOUT 0x1a10f000u
#define TW_EXIT 0x1a1040a0u

/* Events: work for a core; work done, for the fabric controller; a barrier. */
#define TW_EVENT_WORK 0u
#define TW_EVENT_DONE 1u
#define TW_EVENT_BARRIER 16u

#endif
