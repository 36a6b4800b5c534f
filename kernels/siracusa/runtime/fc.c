/* The fabric controller's side: starting the cluster, handing it work, output, exit. */
#include "tw_runtime.h"
#include "tw_soc.h"

void _start(void);

/* What the cluster is to do, and how often it was asked and has done so. */
static void (*volatile work)(void);
static volatile uint32_t asked;
static volatile uint32_t done;

void tw_cluster_start(void)
{
    TW_REGISTER(TW_CLUSTER_CLOCK) = 1;
    TW_REGISTER(TW_CLUSTER_ICACHE) = 0xffffffffu;
    for (uint32_t core = 0; core < (uint32_t)tw_core_count(); core++) {
        TW_REGISTER(TW_CLUSTER_BOOT(core)) = (uint32_t)(uintptr_t)_start;
    }
    TW_REGISTER(TW_FC_MASK_SET) = 1u << TW_EVENT_DONE;
    /* Core 0 sets the barrier up, which only the cluster can, and then starts the others. */
    TW_REGISTER(TW_CLUSTER_FETCH) = 1;
}

void tw_cluster_run(void (*function)(void))
{
    work = function;
    asked++;
    /* An event waits for a core that does not run yet. */
    TW_REGISTER(TW_CLUSTER_TRIGGER(TW_EVENT_WORK)) = (1u << tw_core_count()) - 1;
    while (done != asked) {
        /* Interrupts are off: one that is pending wakes the core and nothing else. */
        __asm__ volatile("wfi" ::: "memory");
        TW_REGISTER(TW_FC_STATUS_CLEAR) = 1u << TW_EVENT_DONE;
    }
}

/* Where the cores of the cluster arrive from start-up. */
void tw_core_main(void)
{
    uint32_t events;
    TW_REGISTER(TW_EU_MASK) = 1u << TW_EVENT_BARRIER;
    if (tw_core_id() == 0) {
        const uint32_t cores = (1u << tw_core_count()) - 1;
        TW_REGISTER(TW_EU_BARRIER_CORES) = cores;
        TW_REGISTER(TW_EU_BARRIER_WAKES) = cores;
        TW_REGISTER(TW_CLUSTER_FETCH) = cores;
    }
    for (;;) {
        TW_REGISTER(TW_EU_MASK_OR) = 1u << TW_EVENT_WORK;
        /* p.elw: a load that sleeps until an event is there. */
        __asm__ volatile(".insn i 0x03, 6, %0, 0(%1)" : "=r"(events) : "r"(TW_EU_WAIT_CLEAR) : "memory");
        TW_REGISTER(TW_EU_MASK_AND) = 1u << TW_EVENT_WORK;
        work();
        tw_barrier();
        if (tw_core_id() == 0) {
            done = asked;
            TW_REGISTER(TW_FC_STATUS_SET) = 1u << TW_EVENT_DONE;
        }
    }
}

void tw_exit(int status)
{
    TW_REGISTER(TW_EXIT) = 0x80000000u | (uint32_t)status;
    for (;;) {
    }
}

static void put(char c)
{
    uint32_t hart;
    __asm__("csrr %0, mhartid" : "=r"(hart));
    *(volatile uint8_t *)(uintptr_t)(TW_STDOUT + (hart & 0x1f) * 8 + (hart >> 5) * 0x80) = (uint8_t)c;
}

void tw_print(const char *text)
{
    while (*text != '\0') {
        put(*text++);
    }
}

void tw_print_number(uint32_t number)
{
    char digits[10];
    int n = 0;
    do {
        digits[n++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    while (n > 0) {
        put(digits[--n]);
    }
}

void tw_print_bytes(const void *data, size_t bytes)
{
    static const char digits[16] = "0123456789abcdef";
    const uint8_t *from = data;
    for (size_t i = 0; i < bytes; i++) {
        put(digits[from[i] >> 4]);
        put(digits[from[i] & 15]);
        if (i % 32 == 31 || i + 1 == bytes) {
            put('\n');
        }
    }
}
