/* The runtime of programs that run networks on a board for tests: input and output of the host's, and measurements. */
#ifndef TW_RUNTIME_H
#define TW_RUNTIME_H

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

/* Around what is to be measured; `spent` gets the instructions of each of the `layers`, and of what is around them behind. */
void tw_measure_begin(uint32_t *spent, uint32_t layers);
void tw_measure_end(void);

/* Bytes of stack that tw_measure_begin's caller and its callees have used since; 0 if there was not enough. */
uint32_t tw_stack_used(void);

#endif
