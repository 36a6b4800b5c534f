/* What cores cost each other: hundredths of a cycle, the longest of all cores that take part. */
#include "test.h"

static L1 volatile uint32_t took[9];
static L1 uint32_t data[256] __attribute__((aligned(64)));

static void report(const char *name, int core, uint32_t mine, uint32_t count)
{
    took[core] = mine;
    barrier(0);
    if (core == 8) {
        uint32_t most = 0;
        for (int i = 0; i < 9; i++) {
            most = took[i] > most ? took[i] : most;
        }
        put_row(name, most * 100 / count);
    }
    barrier(0);
}

#define CLOBBERS "t0", "t1", "t2", "t3", "ft0", "ft1", "memory"

/* Cores of `mask` execute `body` at once, the second time with warm caches. */
#define TOGETHER(name, mask, address, set_up, body, count)                                             \
    do {                                                                                               \
        uint32_t mine = 0;                                                                             \
        for (int k = 0; k < 6; k++) {                                                                  \
            uint32_t from = 0, until = 0;                                                              \
            barrier(0);                                                                                \
            if ((mask) >> core & 1) {                                                                  \
                __asm__ volatile(".option push\n.option norvc\n mv t0, %2\n" set_up                    \
                                 "\n csrr %0, 0xb00\n" body "\n csrr %1, 0xb00\n.option pop"           \
                                 : "=&r"(from), "=&r"(until)                                           \
                                 : "r"(address)                                                        \
                                 : CLOBBERS);                                                          \
            }                                                                                          \
            mine = until == from ? 0 : until - from - 1;                                               \
        }                                                                                              \
        report(name, core, mine, count);                                                               \
    } while (0)

#define TIMES(n, text) ".rept " #n "\n" text "\n.endr"

static void memory(int core)
{
    TOGETHER("same_word", 0x1ff, (uint32_t)data, "", TIMES(64, "lw t1, 0(t0)"), 64);
    TOGETHER("own_bank", 0x1ff, (uint32_t)(data + core), "", TIMES(64, "lw t1, 0(t0)"), 64);
    /* 64 iterations of two cycles over the same words. */
    TOGETHER("same_words", 0x1ff, (uint32_t)data, "li t3, 64",
             ".insn i 0x7b, 4, x0, t3, 4\n .insn i 0x0b, 2, t1, 4(t0)\n add t2, t2, t2", 1);
}

static void floats(int core)
{
    TOGETHER("float_1", 0x003, 0, "fcvt.s.w ft0, x0\n fcvt.s.w ft1, x0", TIMES(16, "fadd.s ft1, ft1, ft0"), 16);
    TOGETHER("float_2", 0x011, 0, "", TIMES(16, "fadd.s ft1, ft1, ft0"), 16);
    TOGETHER("float_3", 0x111, 0, "", TIMES(16, "fadd.s ft1, ft1, ft0"), 16);
    TOGETHER("divide_2", 0x003, 0, "", TIMES(4, "fsqrt.s ft1, ft0"), 4);
    TOGETHER("divide_9", 0x1ff, 0, "", TIMES(4, "fsqrt.s ft1, ft0"), 4);
}

static void barriers(int core)
{
    uint32_t from = 0;
    for (int k = 0; k < 2; k++) {
        barrier(0);
        from = cycles();
        for (int i = 0; i < 100; i++) {
            barrier(1);
        }
        from = cycles() - from;
    }
    report("barrier", core, from, 100);
}

/* What is forked: functions that do nothing, and one with so much code that it sweeps the cores' own caches of 512 bytes, but not
 * the shared one. */
static __attribute__((noinline, aligned(16))) void nothing(void *argument)
{
    (void)argument;
}

static __attribute__((noinline, aligned(16))) void another(void *argument)
{
    __asm__ volatile("" : : "r"(argument));
}

static __attribute__((noinline, aligned(16))) void sweep(void *argument)
{
    (void)argument;
    __asm__ volatile(".rept 256\n.option push\n.option norvc\nnop\n.option pop\n.endr");
}

/*
 * What the SDK's team does between forks: two entries of the dispatcher are a function and its argument; those with bit 0 set
 * do not end at the barrier, which only its stacks use. Never returns.
 */
static void follow(void)
{
    __asm__ volatile("li s2, 0x204000\n"
                     "la s4, 1f\n"
                     "la s5, 2f\n"
                     "j 2f\n"
                     "1: .insn i 0x03, 6, t0, 0x21c(s2)\n" /* p.elw: barrier 0 */
                     "2: .insn i 0x03, 6, t0, 0x080(s2)\n" /* p.elw: dispatcher */
                     ".insn i 0x03, 6, a0, 0x080(s2)\n"
                     "andi t1, t0, 1\n"
                     "bnez t1, 3f\n"
                     "mv ra, s4\n"
                     "jr t0\n"
                     "3: mv ra, s5\n"
                     "jr t0");
}

/* As the SDK forks: the team and two barriers are set, the others called, and all meet when the function has been called here. */
static inline void team_fork(uint32_t cores, void (*entry)(void *), void *argument)
{
    const uint32_t mask = (1u << cores) - 1;
    REG(EU + 0x84) = mask & ~1u;
    set_barrier(0, mask);
    set_barrier(1, mask | 1u << 8);
    REG(EU + 0x80) = (uint32_t)entry;
    REG(EU + 0x80) = (uint32_t)argument;
    entry(argument);
    barrier(0);
}

static __attribute__((noinline, aligned(16))) uint32_t timed(void (*entry)(void *))
{
    const uint32_t from = cycles();
    team_fork(8, entry, 0);
    return cycles() - from;
}

/* On core 0; the others follow for ever. */
static void forked(int core)
{
    uint32_t cold, warm = 0, fresh;
    if (core == 8) {
        return;
    }
    if (core > 0) {
        follow();
    }
    cold = timed(nothing);
    for (int k = 0; k < 3; k++) {
        warm = timed(nothing);
    }
    timed(sweep);
    fresh = timed(another);
    put_row("fork_cold", cold * 100);
    put_row("fork_warm", warm * 100);
    put_row("fork", fresh * 100);
    REG(0x1a1040a0) = 0x80000000u;
}

void core_main(int core)
{
    REG(EU) = 1u << 16 | 1u << 18;
    if (core == 8) {
        set_barrier(0, 0x1ff);
        set_barrier(1, 0x1ff);
        for (int i = 0; i < 256; i++) {
            data[i] = 0;
        }
        REG(0x10200008) = 0x1ff;
    }
    barrier(0);
    memory(core);
    floats(core);
    barriers(core);
    forked(core);
    for (;;) {
        barrier(3);
    }
}

int fc_main(void)
{
    start_cluster(0x100, UINT32_MAX);
    for (;;) {
        __asm__ volatile("wfi");
    }
}
