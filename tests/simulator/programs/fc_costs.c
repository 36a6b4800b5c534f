/* What accesses and fetches cost the fabric controller, in hundredths of its cycles; code without instruction caches. */
#include "test.h"

static L1 uint32_t near_data[4];
static uint32_t far_data[4];
__attribute__((section(".weights"))) static uint32_t weights[4];

#define MEASURE(name, address, body, other, count)                                                             \
    do {                                                                                                \
        uint32_t from, until;                                                                           \
        __asm__ volatile(".option push\n.option norelax\n j 9f\n.balign 64\n9:\n.option norvc\n mv t0, %2\n csrr %0, 0xb00\n" body  \
                         "\n csrr %1, 0xb00\n.option pop"                                               \
                         : "=&r"(from), "=&r"(until)                                                    \
                         : "r"(address)                                                                 \
                         : "t0", "t1", "t2", "memory");                                                 \
        put_row(name, (until - from - 1 - (other)) * 100 / (count));                                             \
    } while (0)

/* Two accesses of the line that the counter was read in; its second reading is in the next, which costs 5. */
#define TWO(text) text "\n" text

void core_main(int core)
{
    (void)core;
}

int fc_main(void)
{
    near_data[0] = far_data[0] = weights[0] = 0;
    MEASURE("fc_load_l2", far_data, TWO("lw t1, 0(t0)"), 5, 2);
    MEASURE("fc_load_l1", near_data, TWO("lw t1, 0(t0)"), 5, 2);
    MEASURE("fc_load_weights", weights, TWO("lw t1, 0(t0)"), 5, 2);
    MEASURE("fc_load_peripheral", 0x10200040, TWO("lw t1, 0(t0)"), 5, 2);
    MEASURE("fc_load_apb", 0x1a104000, TWO("lw t1, 0(t0)"), 5, 2);
    MEASURE("fc_straight", 0, ".rept 256\n add t1, t1, t2\n.endr", 0, 256);
    /* Loops of 100 iterations inside one line, and over two. */
    MEASURE("fc_loop_line", 0,
            "nop\n nop\n .insn i 0x7b, 5, x0, x4, 100\n add t1, t1, t2\n add t1, t1, t2", 0, 100);
    MEASURE("fc_loop_lines", 0,
            "nop\n nop\n nop\n nop\n .insn i 0x7b, 5, x0, x8, 100\n"
            " add t1, t1, t2\n add t1, t1, t2\n add t1, t1, t2\n add t1, t1, t2",
            0, 100);
    return 0;
}
