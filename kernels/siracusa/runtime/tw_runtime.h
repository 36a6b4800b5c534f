/*
 * The runtime of programs on Siracusa: the fabric controller starts, runs main(), hands work to the cluster, prints,
 * and ends the program.
 */
#ifndef TW_RUNTIME_H
#define TW_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#include "../kernels/tw_cluster.h"

/* The program: runs on the fabric controller, which has no floating point. Its result is the exit status. */
int main(void);

/* Powers the cluster up; its cores wait for work. Call it once, on the fabric controller. */
void tw_cluster_start(void);

/* Has every core of the cluster call `work` and returns when all are done; the fabric controller sleeps meanwhile. */
void tw_cluster_run(void (*work)(void));

/* Ends the program. */
void tw_exit(int status) __attribute__((noreturn));

/* Standard output: text, a decimal number, and bytes as hexadecimal digits in lines of 32 bytes. */
void tw_print(const char *text);
void tw_print_number(uint32_t number);
void tw_print_bytes(const void *data, size_t bytes);

/* Around what is to be measured; every core calls both. */
void tw_measure_begin(void);
void tw_measure_end(void);

/* What was measured last: cycles of the cluster, and instructions of all cores together. */
extern volatile uint32_t tw_measured_cycles;
extern volatile uint32_t tw_measured_instructions;

/* Cycles of the cluster's clock since tw_measure_begin(). */
uint32_t tw_cycles(void);

#endif
