/* What a board has: a counter for measurements. Everything else of the runtime is the same on all of them. */
#ifndef TW_BOARD_H
#define TW_BOARD_H

#include <stdint.h>

/* Called once, before everything else. */
void tw_board_start(void);

/* A counter that runs all the time, and wraps. */
uint32_t tw_ticks(void);

/*
 * Instructions in so many of its ticks: exact on QEMU with the -icount of the target's command, where time is
 * instructions. On a chip it would be something else.
 */
uint32_t tw_instructions(uint32_t ticks);

#endif
