/* Start-up of a Cortex-M core: the vector table, and what C expects. */
#include "tw_runtime.h"

    .syntax unified
    .thumb
    .section .vectors, "a"
    .balign 512
    .word tw_stack_end
    .word _start
    .rept 14
    .word tw_fault
    .endr

    .text
    .thumb_func
    .global _start
    .type _start, %function
_start:
#ifdef __ARM_FP
    /* CPACR: the floating-point unit, with vectors if the core has them. */
    ldr r0, =0xe000ed88
    ldr r1, [r0]
    orr r1, r1, #(0xf << 20)
    str r1, [r0]
    dsb
    isb
#endif
    /* Variables with first values, from flash. */
    ldr r0, =tw_data_begin
    ldr r1, =tw_data_end
    ldr r2, =tw_data_load
1:  cmp r0, r1
    bhs 2f
    ldr r3, [r2], #4
    str r3, [r0], #4
    b 1b
    /* Variables without. */
2:  ldr r0, =tw_zero_begin
    ldr r1, =tw_zero_end
    movs r2, #0
3:  cmp r0, r1
    bhs 4f
    str r2, [r0], #4
    b 3b
    /* Those of the thread, of which there is one. */
4:  ldr r0, =tw_thread
    ldr r1, =tw_thread_begin
    ldr r2, =tw_thread_end
5:  cmp r1, r2
    bhs 6f
    ldr r3, [r1], #4
    str r3, [r0], #4
    b 5b
6:  ldr r1, =tw_thread
    ldr r2, =tw_thread_bytes
    add r1, r1, r2
    movs r2, #0
7:  cmp r0, r1
    bhs 8f
    strb r2, [r0], #1
    b 7b
8:  bl main
    bl tw_exit

/* A fault or interrupt that nobody asked for: ends with status 100 + its number. */
    .thumb_func
    .type tw_fault, %function
tw_fault:
    ldr r0, =tw_stack_end
    mov sp, r0
    mrs r0, ipsr
    ubfx r0, r0, #0, #7
    adds r0, r0, #100
    bl tw_exit

/* Where a layer begins: measured on a stack of its own. */
    .thumb_func
    .global tw_layer_begin
    .type tw_layer_begin, %function
tw_layer_begin:
    ldr r1, =tw_aside + TW_ASIDE_BYTES
    mov r2, sp
    mov sp, r1
    push {r2, lr}
    bl tw_layer_count
    pop {r2, lr}
    mov sp, r2
    bx lr

    .thumb_func
    .global tw_semihosting
    .type tw_semihosting, %function
tw_semihosting:
    bkpt 0xab
    bx lr

/* The C library asks for the thread's variables: 8 bytes behind the result, by the ABI. Only r0 may change. */
    .thumb_func
    .global __aeabi_read_tp
    .type __aeabi_read_tp, %function
__aeabi_read_tp:
    ldr r0, =tw_thread - 8
    bx lr
