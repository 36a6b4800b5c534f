/* Counting the instructions of layers, and the stack they use. */
#include "tw_board.h"
#include "tw_runtime.h"

/* The stack of tw_layer_count(), which tw_layer_begin() calls: that of the network is as deep as without measurements. */
uint32_t tw_aside[TW_ASIDE_BYTES / 4] __attribute__((aligned(16)));

static uint32_t *spent;
static uint32_t layers;
static uint32_t layer;
static uint32_t since;
/* What a measurement itself takes. */
static uint32_t own;

void tw_layer_count(uint32_t next)
{
    const uint32_t count = tw_instructions(tw_ticks() - since);
    spent[layer] += count > own ? count - own : 0;
    layer = next < layers ? next : layers;
    since = tw_ticks();
}

void tw_measure_begin(uint32_t *to, uint32_t count)
{
    spent = to;
    layers = count;
    layer = count;
    own = 0;
    /* The second call comes behind the first as calls in a network do: what it counts is the measurement. */
    tw_layer_begin(0);
    tw_layer_begin(count);
    own = spent[0];
    for (uint32_t i = 0; i <= count; i++) {
        spent[i] = 0;
    }
    layer = count + 1;
}

int32_t tw_stack_used(const uint32_t *top)
{
    const uint32_t *word = tw_stack_begin;
    while (word < top && *word == TW_PAINT) {
        word++;
    }
    if (word == tw_stack_begin) {
        return -1;
    }
    /* The stack pointer was there or below: it is a multiple of this much all the time. */
    return (int32_t)((uintptr_t)top - (uintptr_t)word / TW_STACK_STEP * TW_STACK_STEP);
}
