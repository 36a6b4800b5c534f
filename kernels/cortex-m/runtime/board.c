/* MPS2 boards: a counter with the board's clock of 25 MHz. */
#include "tw_board.h"

#define COUNTER (*(volatile uint32_t *)0x40028018u)
#define PRESCALE (*(volatile uint32_t *)0x4002801cu)

void tw_board_start(void)
{
    PRESCALE = 0;
}

uint32_t tw_ticks(void)
{
    return COUNTER;
}

uint32_t tw_instructions(uint32_t ticks)
{
    /* An instruction takes 256 ns, 6.4 ticks: -icount shift=8. */
    return (uint32_t)(((uint64_t)ticks * 10 + 32) / 64);
}
