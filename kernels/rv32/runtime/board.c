/* Any RISC-V core: its counter of instructions. */
#include "tw_board.h"

void tw_board_start(void)
{
}

uint32_t tw_ticks(void)
{
    uint32_t count;
    __asm__ volatile("csrr %0, minstret" : "=r"(count)::"memory");
    return count;
}

uint32_t tw_instructions(uint32_t ticks)
{
    return ticks;
}
