/* All cores begin here: the fabric controller goes to fc_main, the cluster's cores to core_main. */
    .section .start, "ax"
    .option norvc
    .global _start
_start:
    csrr a0, mhartid
    srli a1, a0, 5
    andi a0, a0, 0x1f
    bnez a1, 1f
    addi a1, a0, 1
    slli a1, a1, 10
    li sp, 0x10000000
    add sp, sp, a1
    call core_main
0:  j 0b
1:  la sp, fc_stack_end
    la a0, zero_begin
    la a1, zero_end
2:  bgeu a0, a1, 3f
    sw zero, 0(a0)
    addi a0, a0, 4
    j 2b
3:  call fc_main
    li a1, 0x80000000
    or a0, a0, a1
    li a1, 0x1a1040a0
    sw a0, 0(a1)
4:  j 4b
