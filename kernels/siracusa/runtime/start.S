/*
 * Start-up of all cores. The fabric controller and the cluster's cores begin here; the vectors of traps and
 * interrupts lie before it, where the cores look for them.
 */
    .section .vectors, "ax"
    .option norvc
    .balign 256
tw_vectors:
    .rept 32
    j tw_trap
    .endr

    .global _start
_start:
    /* Interrupts are off after reset; writing mstatus could take the float unit away. */
    csrr a0, mhartid
    srli a1, a0, 5
    andi a0, a0, 0x1f
    bnez a1, tw_start_fc

/* A core of the cluster: its stack is in L1, with the variables of the thread at its upper end. */
tw_start_core:
    la a1, tw_stack_step
    mul a1, a1, a0
    la sp, tw_stack_first_end
    add sp, sp, a1
    la a1, tw_thread_bytes
    sub sp, sp, a1
    mv tp, sp
    mv a2, tp
    add a3, tp, a1
    la a4, tw_thread_begin
    la a5, tw_thread_end
1:  bgeu a4, a5, 2f
    lw a6, 0(a4)
    sw a6, 0(a2)
    addi a4, a4, 4
    addi a2, a2, 4
    j 1b
2:  bgeu a2, a3, 3f
    sw zero, 0(a2)
    addi a2, a2, 4
    j 2b
3:  call tw_core_main
4:  j 4b

/* The fabric controller: its stack is in L2; it clears what C expects to be zero. */
tw_start_fc:
    la sp, tw_fc_stack_end
    la a0, tw_zero_begin
    la a1, tw_zero_end
1:  bgeu a0, a1, 2f
    sw zero, 0(a0)
    addi a0, a0, 4
    j 1b
2:  call main
    call tw_exit

/* A fault of the program: ends with status 100 + cause. */
tw_trap:
    csrr a0, mcause
    andi a0, a0, 0x1f
    addi a0, a0, 100
    call tw_exit
