/*
 * The cluster's cores, as kernels see them.
 *
 * Cores 0 to tw_core_count() - 1 all call every parallel kernel with the same arguments; each computes its part of
 * the result, chosen by tw_core_id(), and returns. Generated code puts a barrier behind every kernel; inside, only
 * kernels whose cores read what others wrote call tw_barrier(), and then all cores call it equally often.
 *
 * With another compiler, or with TW_TWIN defined, the header is its twin for tests: the caller sets tw_twin_core
 * and tw_twin_cores and calls the kernel once for each core; barriers do nothing.
 */
#ifndef TW_CLUSTER_H
#define TW_CLUSTER_H

#include <stddef.h>
#include <stdint.h>

#if defined(__riscv) && !defined(TW_TWIN)

/* The linker sets the address of this symbol to the number of cores: a constant that costs no load. */
extern const char tw_cluster_cores[];

/* Event unit of the core that asks, its barrier 0: "trigger, wait, clear" at offset 0x1c. */
#define TW_BARRIER_0 0x00204200u

/* Which core this is, from 0. */
static inline int tw_core_id(void)
{
    uint32_t hart;
    __asm__("csrr %0, mhartid" : "=r"(hart));
    return (int)(hart & 0x1f);
}

/* How many cores share the work. */
static inline int tw_core_count(void)
{
    return (int)(uintptr_t)tw_cluster_cores;
}

/* The layer being run, for profiles; written by core 0. */
extern volatile uint32_t tw_layer;

/* Generated code announces the layer it starts. */
static inline void tw_layer_begin(uint32_t layer)
{
    if (tw_core_id() == 0) {
        tw_layer = layer;
    }
}

/* Returns when all cores have called it. */
static inline void tw_barrier(void)
{
    uint32_t events;
    /* p.elw: a load that sleeps until the event unit answers. */
    __asm__ volatile(".insn i 0x03, 6, %0, 0x1c(%1)" : "=r"(events) : "r"(TW_BARRIER_0) : "memory");
}

#else

extern int tw_twin_core;
extern int tw_twin_cores;

static inline int tw_core_id(void)
{
    return tw_twin_core;
}

static inline int tw_core_count(void)
{
    return tw_twin_cores;
}

static inline void tw_layer_begin(uint32_t layer)
{
    (void)layer;
}

static inline void tw_barrier(void)
{
}

#endif

/* The logarithm of a power of two. */
static inline int tw_log2(size_t power)
{
#if defined(__riscv) && !defined(TW_TWIN)
    size_t log;
    __asm__(".insn r 0x33, 0, 0x08, %0, %1, x0" : "=r"(log) : "r"(power)); /* p.ff1 */
    return (int)log;
#else
    int log = 0;
    while (power >> log != 1) {
        log++;
    }
    return log;
#endif
}

/* A core's part of a range: begin <= i < end. */
struct tw_range {
    size_t begin;
    size_t end;
};

/*
 * This core's part of n items. Parts are contiguous, begin at multiples of `grain` (at least 1), and differ by at most one
 * grain. The first core has the last part, the smallest, which may be empty: it commands the transfers too.
 */
static inline struct tw_range tw_split(size_t n, size_t grain)
{
    const size_t cores = (size_t)tw_core_count();
    const size_t core = cores - 1 - (size_t)tw_core_id();
    const size_t grains = (n + grain - 1) / grain;
    size_t each, more;
    if ((cores & (cores - 1)) == 0) {
        /* A division costs as much as all else here. */
        each = grains >> tw_log2(cores);
        more = grains & (cores - 1);
    } else {
        each = grains / cores;
        more = grains - each * cores;
    }
    const size_t first = core * each + (core < more ? core : more);
    const size_t last = first + each + (core < more ? 1 : 0);
    struct tw_range part;
    part.begin = first * grain < n ? first * grain : n;
    part.end = last * grain < n ? last * grain : n;
    return part;
}

/*
 * This core's part of n items that all cores read behind a barrier. In the twin, where one core runs behind the other,
 * it is all of them.
 */
static inline struct tw_range tw_split_shared(size_t n)
{
#if defined(__riscv) && !defined(TW_TWIN)
    return tw_split(n, 1);
#else
    const struct tw_range all = {0, n};
    return all;
#endif
}

#endif
