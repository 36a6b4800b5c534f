/* Start-up of a RISC-V core: what C expects. */
#include "tw_runtime.h"

    .section .vectors, "ax"
    .global _start
_start:
    .option push
    .option norelax
    la gp, __global_pointer$
    .option pop
    la sp, tw_stack_end
    la t0, tw_trap
    csrw mtvec, t0
#ifdef __riscv_flen
    li t0, 0x6000
    csrs mstatus, t0
#endif
    /* Variables with first values, from flash. */
    la a0, tw_data_begin
    la a1, tw_data_end
    la a2, tw_data_load
1:  bgeu a0, a1, 2f
    lw a3, 0(a2)
    sw a3, 0(a0)
    addi a0, a0, 4
    addi a2, a2, 4
    j 1b
    /* Variables without. */
2:  la a0, tw_zero_begin
    la a1, tw_zero_end
3:  bgeu a0, a1, 4f
    sw zero, 0(a0)
    addi a0, a0, 4
    j 3b
    /* Those of the thread, of which there is one. */
4:  la tp, tw_thread
    mv a0, tp
    la a1, tw_thread_begin
    la a2, tw_thread_end
5:  bgeu a1, a2, 6f
    lw a3, 0(a1)
    sw a3, 0(a0)
    addi a0, a0, 4
    addi a1, a1, 4
    j 5b
6:  la a1, tw_thread_bytes
    add a1, a1, tp
7:  bgeu a0, a1, 8f
    sb zero, 0(a0)
    addi a0, a0, 1
    j 7b
8:  call main
    call tw_exit

/* A fault of the program: ends with status 100 + cause. */
    .balign 4
tw_trap:
    la sp, tw_stack_end
    csrr a0, mcause
    andi a0, a0, 0x1f
    addi a0, a0, 100
    call tw_exit

/* Where a layer begins: measured on a stack of its own. */
    .text
    .global tw_layer_begin
tw_layer_begin:
    la t0, tw_aside + TW_ASIDE_BYTES - 16
    sw sp, 0(t0)
    sw ra, 4(t0)
    mv sp, t0
    call tw_layer_count
    lw ra, 4(sp)
    lw sp, 0(sp)
    ret

/* The debugger knows the call by the three instructions, which must not lie across two pages. */
    .text
    .balign 16
    .global tw_semihosting
tw_semihosting:
    .option push
    .option norvc
    slli zero, zero, 0x1f
    ebreak
    srai zero, zero, 7
    .option pop
    ret
