/* What instructions and accesses cost on one core: hundredths of a cycle, measured on core 8, fetches on core 0. */
#include "test.h"

static L1 uint32_t near_data[8192 + 4];
static uint32_t far_data[8192 + 4];
__attribute__((section(".weights"))) static uint32_t weights[64];

#define CLOBBERS "t0", "t1", "t2", "t3", "t4", "t5", "t6", "a0", "a1", "a2", "a3", "a4", "a5", "ft0", "ft1", "ft2", \
                 "ft3", "memory"

/* Hundredths of a cycle of `body`, which does something `count` times; `t0` holds `address`. */
#define MEASURE(name, address, set_up, body, count)                                                        \
    do {                                                                                                   \
        uint32_t best = UINT32_MAX;                                                                        \
        for (int k = 0; k < 6; k++) {                                                                      \
            uint32_t from, until;                                                                          \
            __asm__ volatile(".option push\n.option norvc\n mv t0, %2\n" set_up "\n csrr %0, 0xb00\n" body \
                             "\n csrr %1, 0xb00\n.option pop"                                              \
                             : "=&r"(from), "=&r"(until)                                                   \
                             : "r"(address)                                                                \
                             : CLOBBERS);                                                                  \
            best = until - from < best ? until - from : best;                                              \
        }                                                                                                  \
        put_row(name, (best - 1) * 100 / (count));                                                         \
    } while (0)

#define TIMES(n, text) ".rept " #n "\n" text "\n.endr"

static void accesses(void)
{
    near_data[0] = far_data[0] = weights[0] = 0;
    MEASURE("load_l1", near_data, "", TIMES(16, "lw t1, 0(t0)"), 16);
    MEASURE("load_alias", (uint32_t)near_data & 0xfffff, "", TIMES(16, "lw t1, 0(t0)"), 16);
    MEASURE("load_weights", weights, "", TIMES(16, "lw t1, 0(t0)"), 16);
    MEASURE("load_l2", far_data, "", TIMES(16, "lw t1, 0(t0)"), 16);
    MEASURE("load_peripheral", 0x10200040, "", TIMES(16, "lw t1, 0(t0)"), 16);
    MEASURE("load_event_unit", EU, "", TIMES(16, "lw t1, 0(t0)"), 16);
    MEASURE("load_apb", 0x1a104000, "", TIMES(16, "lw t1, 0(t0)"), 16);
    MEASURE("store_l1", near_data, "", TIMES(16, "sw x0, 0(t0)"), 16);
    MEASURE("store_weights", weights, "", TIMES(16, "sw x0, 0(t0)"), 16);
    MEASURE("store_l2", far_data, "", TIMES(16, "sw x0, 0(t0)"), 16);
    MEASURE("store_peripheral", 0x10200060, "", TIMES(16, "sw x0, 0(t0)"), 16);
    MEASURE("store_apb", 0x1a104000, "", TIMES(16, "sw x0, 0(t0)"), 16);
    near_data[1] = 0;
    MEASURE("load_unaligned", (uint32_t)near_data + 2, "", TIMES(16, "lw t1, 0(t0)"), 16);
    MEASURE("load_use", near_data, "", TIMES(16, "lw t1, 0(t0)\n add t2, t1, t1"), 16);
    MEASURE("load_use_address", near_data, "sw t0, 0(t0)", TIMES(16, "lw t1, 0(t0)\n lw t2, 0(t1)"), 16);
    MEASURE("load_use_store", near_data, "", TIMES(16, "lw t1, 0(t0)\n sw t1, 4(t0)"), 16);
    MEASURE("load_use_branch", near_data, "sw x0, 0(t0)", TIMES(16, "lw t1, 0(t0)\n bne t1, x0, 1f\n1:"), 16);
    MEASURE("load_use_dot", near_data, "", TIMES(16, "lw t1, 0(t0)\n .insn r 0x57, 1, 0x5c, t2, t1, t3"), 16);
    MEASURE("load_use_sum", near_data, "", TIMES(16, "lw t2, 0(t0)\n .insn r 0x57, 1, 0x5c, t2, t1, t3"), 16);
    MEASURE("load_use_float", near_data, "", TIMES(16, "flw ft0, 0(t0)\n fadd.s ft1, ft0, ft0"), 16);
    MEASURE("load_no_use", near_data, "", TIMES(16, "lw t1, 0(t0)\n add t2, t3, t3"), 16);
    MEASURE("load_pointer", near_data, "",
            TIMES(16, ".insn i 0x0b, 2, t1, 0(t0)\n addi t2, t0, 0"), 16);
    REG(EU) = 1;
    MEASURE("event_load_ready", EU, "li t2, 256\n sw t2, 0x100(t0)\n nop\n nop", ".insn i 0x03, 6, t1, 0x3c(t0)", 1);
}

static void instructions(void)
{
    MEASURE("alu", 0, "", TIMES(16, "add t1, t1, t0"), 16);
    MEASURE("csr", 0, "", TIMES(16, "csrr t1, mhartid"), 16);
    MEASURE("branch_taken", 0, "", TIMES(16, "beq x0, x0, 1f\n1:"), 16);
    MEASURE("branch_not_taken", 0, "", TIMES(16, "bne x0, x0, 1f\n1:"), 16);
    MEASURE("branch_immediate", 0, "", TIMES(16, ".insn b 0x63, 2, x0, x0, 1f\n1:"), 16);
    MEASURE("jal", 0, "", TIMES(16, "jal t1, 1f\n1:"), 16);
    MEASURE("jalr", 0, "", TIMES(8, "1: auipc t1, 0\n jalr t2, 8(t1)"), 8);
    MEASURE("mul", 0, "", TIMES(16, "mul t1, t2, t3"), 16);
    MEASURE("mul_use", 0, "", TIMES(16, "mul t1, t2, t3\n add t4, t1, t1"), 16);
    MEASURE("mulh", 0, "", TIMES(16, "mulh t1, t2, t3"), 16);
    MEASURE("mulh_use", 0, "", TIMES(16, "mulhu t1, t2, t3\n add t4, t1, t1"), 16);
    MEASURE("div_by_3", 3, "", TIMES(8, "div t1, t2, t0"), 8);
    MEASURE("div_by_minus_3", -3, "", TIMES(8, "rem t1, t2, t0"), 8);
    MEASURE("div_by_0", 0, "", TIMES(8, "div t1, t2, t0"), 8);
    MEASURE("divu_by_5", 5, "", TIMES(8, "divu t1, t2, t0"), 8);
    MEASURE("divu_by_0", 0, "", TIMES(8, "remu t1, t2, t0"), 8);
    MEASURE("dot", 0, "", TIMES(16, ".insn r 0x57, 1, 0x5c, t1, t2, t3"), 16);
    MEASURE("mac", 0, "", TIMES(16, ".insn r 0x33, 0, 0x21, t1, t2, t3"), 16);
    MEASURE("mac_rounded", 0, "", TIMES(16, ".insn r 0x5b, 5, 0x48, t1, t2, t3"), 16);
    MEASURE("clip", 0, "", TIMES(16, ".insn r 0x33, 1, 0x0a, t1, t1, x8"), 16);
    MEASURE("hardware_loop", 1000, "",
            ".insn i 0x7b, 4, x0, t0, 8\n add t1, t1, t2\n add t1, t1, t2\n add t1, t1, t2\n add t1, t1, t2\n nop", 1);
    MEASURE("fadd", 0, "fcvt.s.w ft0, x0\n fcvt.s.w ft1, x0", TIMES(16, "fadd.s ft1, ft1, ft0"), 16);
    MEASURE("fmul", 0, "", TIMES(16, "fmul.s ft1, ft1, ft0"), 16);
    MEASURE("fmadd", 0, "", TIMES(16, "fmadd.s ft1, ft1, ft0, ft0"), 16);
    MEASURE("fconvert", 0, "", TIMES(16, "fcvt.s.w ft1, t1"), 16);
    MEASURE("fdiv", 0, "li t1, 3\n fcvt.s.w ft0, t1", TIMES(8, "fdiv.s ft1, ft0, ft0"), 8);
    MEASURE("fsqrt", 0, "", TIMES(8, "fsqrt.s ft1, ft0"), 8);
}

static uint32_t timed_dma(uint32_t in, uint32_t row, uint32_t stride, uint32_t bytes)
{
    uint32_t best = UINT32_MAX;
    for (int k = 0; k < 3; k++) {
        const uint32_t from = cycles();
        const uint32_t counter =
            row == 0 ? dma_start((uint32_t)near_data, (uint32_t)far_data, bytes, in)
                     : dma_start_rows((uint32_t)near_data, (uint32_t)far_data, bytes, in, row, stride);
        dma_wait(counter);
        const uint32_t took = cycles() - from;
        best = took < best ? took : best;
    }
    return best;
}

static void dma(void)
{
    put_row("dma_in_16k", timed_dma(1, 0, 0, 16384) * 100);
    put_row("dma_in_1k", timed_dma(1, 0, 0, 1024) * 100);
    put_row("dma_in_rows", timed_dma(1, 64, 128, 8192) * 100);
    put_row("dma_out_16k", timed_dma(0, 0, 0, 16384) * 100);
    put_row("dma_out_short_rows", timed_dma(0, 8, 16, 8192) * 100);
    uint32_t best = UINT32_MAX;
    for (int k = 0; k < 3; k++) {
        const uint32_t from = cycles();
        const uint32_t in = dma_start((uint32_t)near_data, (uint32_t)far_data, 16384, 1);
        const uint32_t out = dma_start((uint32_t)near_data + 16384, (uint32_t)far_data + 16384, 16384, 0);
        dma_wait(in);
        dma_wait(out);
        const uint32_t took = cycles() - from;
        best = took < best ? took : best;
    }
    put_row("dma_both_16k", best * 100);
}

static uint32_t timed_l3(uint32_t read, uint32_t bytes)
{
    const uint32_t from = cycles();
    const uint32_t base = 0x1a102280;
    while (REG(base + 0x124) > 1) {
    }
    REG(base + 0x120) = 0;
    REG(base + 0x28) = 0;
    REG(base + 0x34) = 0;
    REG(base + 0x18) = read ? 5 : 1;
    REG(base + 0x1c) = 0x1000;
    const uint32_t channel = base + (read ? 0 : 0xc);
    REG(channel) = (uint32_t)far_data;
    REG(channel + 4) = bytes;
    REG(channel + 8) = 0x10;
    while ((REG(base + 0x24) & 1) != 0) {
    }
    return cycles() - from;
}

static void bulk(void)
{
    REG(0x1a102000) = 1 << 4;
    put_row("l3_write", timed_l3(0, 8192) * 100);
    put_row("l3_read", timed_l3(1, 8192) * 100);
}

/* Hundredths of a cycle per instruction of straight-line code, a first and a later time. */
#define STRAIGHT(function, instructions)                                                               \
    __attribute__((noinline, aligned(64))) static uint32_t function(void)                              \
    {                                                                                                  \
        uint32_t from, until;                                                                          \
        __asm__ volatile(".option push\n.option norvc\n csrr %0, 0xb00\n.rept " #instructions          \
                         "\n add t1, t1, t2\n.endr\n csrr %1, 0xb00\n.option pop"                      \
                         : "=&r"(from), "=&r"(until)                                                   \
                         :                                                                             \
                         : "t1", "t2");                                                                \
        return (until - from - 1) * 100 / instructions;                                                \
    }

STRAIGHT(code_1k, 256)
STRAIGHT(code_3k, 768)
STRAIGHT(code_6k, 1536)
STRAIGHT(code_16k, 4096)

static uint32_t later(uint32_t (*code)(void))
{
    uint32_t sum = 0;
    for (int k = 0; k < 10; k++) {
        code();
    }
    for (int k = 0; k < 4; k++) {
        sum += code();
    }
    return sum / 4;
}

static void fetches(void)
{
    /* Per line of four instructions: what a cold one costs more than a warm one. */
    put_row("cold_line", code_1k() * 4 - 400);
    put_row("code_3k", later(code_3k));
    put_row("code_6k", later(code_6k));
    put_row("code_16k", later(code_16k));
}

void core_main(int core)
{
    if (core == 0) {
        fetches();
        REG(0x10200008) = 0x101;
    } else {
        accesses();
        instructions();
        dma();
        bulk();
        REG(0x1a1040a0) = 0x80000000u;
    }
    for (;;) {
    }
}

int fc_main(void)
{
    for (uint32_t i = 0; i < 8192; i++) {
        far_data[i] = i;
    }
    start_cluster(1, UINT32_MAX);
    for (;;) {
    }
}
