/* The MPS3 board AN547: the system counter of 32 MHz. */
#include "tw_board.h"

#define CONTROL (*(volatile uint32_t *)0x58100000u)
#define COUNTER (*(volatile uint32_t *)0x58100008u)

void tw_board_start(void)
{
    CONTROL = 1;
}

uint32_t tw_ticks(void)
{
    return COUNTER;
}

uint32_t tw_instructions(uint32_t ticks)
{
    /* An instruction takes 256 ns, 8.192 ticks: -icount shift=8. */
    return (uint32_t)(((uint64_t)ticks * 125 + 512) / 1024);
}
