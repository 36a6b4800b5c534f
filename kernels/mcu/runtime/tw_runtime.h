/* The runtime of programs that run networks on a board for tests: input and output of the host's, and measurements. */
#ifndef TW_RUNTIME_H
#define TW_RUNTIME_H

/* Of the stack that measurements have; start.S wants it too. */
#define TW_ASIDE_BYTES 512

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>

/* The program. Its result is the exit status. */
int main(void);

/* Ends the program. */
void tw_exit(int status) __attribute__((noreturn));

/* Standard output: text, a decimal number, and bytes as hexadecimal digits in lines of 32 bytes. */
void tw_print(const char *text);
void tw_print_number(uint32_t number);
void tw_print_bytes(const void *data, size_t bytes);

/* Opens a file of the host's for reading; -1 if there is none. */
int tw_open(const char *name);

/* Reads exactly so many bytes of it; 0 if there are fewer. */
int tw_read(int file, void *to, size_t bytes);

/* The debugger's trap; its number and argument are those of ARM's semihosting. */
int tw_semihosting(int operation, const void *argument);

/*
 * Before what is to be measured; `spent` gets the instructions of each of the `layers`, of what is around them, and of what is
 * before the first tw_layer_begin(). The last one ends it.
 */
void tw_measure_begin(uint32_t *spent, uint32_t layers);

/* Where a layer begins, as in the network; calls the other one on a stack of its own. */
void tw_layer_begin(uint32_t layer);
void tw_layer_count(uint32_t layer);

/* The memory of the stack, and what it is painted with. */
extern uint32_t tw_stack_begin[], tw_stack_end[];
#define TW_PAINT 0x5aa5c33cu

/* What a stack pointer is a multiple of, always: RISC-V's ABI has it so at every instruction. */
#ifdef __riscv
#define TW_STACK_STEP 16u
#else
#define TW_STACK_STEP 4u
#endif

/* Bytes below `top` down to the lowest stack pointer that what is no longer painted tells of; -1 if there was not enough. */
int32_t tw_stack_used(const uint32_t *top);
#endif

#endif
