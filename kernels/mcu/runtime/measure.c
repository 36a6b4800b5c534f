/* Counting the instructions of layers, and the stack they use. */
#include "../kernels/tw_layer.h"
#include "tw_board.h"
#include "tw_runtime.h"

/* What unused stack holds. */
#define PAINT 0x5aa5c33cu

extern uint32_t tw_stack_begin[], tw_stack_end[];

static uint32_t *spent;
static uint32_t layers;
static uint32_t layer;
static uint32_t since;
/* What a measurement itself takes. */
static uint32_t own;

void tw_layer_begin(uint32_t next)
{
    const uint32_t count = tw_instructions(tw_ticks() - since);
    spent[layer] += count > own ? count - own : 0;
    layer = next < layers ? next : layers;
    since = tw_ticks();
}

static void paint(void)
{
    /* Some words of room for this function's own. */
    uint32_t *const end = (uint32_t *)__builtin_frame_address(0) - 16;
    for (volatile uint32_t *word = tw_stack_begin; word < end; word++) {
        *word = PAINT;
    }
}

void tw_measure_begin(uint32_t *to, uint32_t count)
{
    paint();
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
    since = tw_ticks();
}

void tw_measure_end(void)
{
    tw_layer_begin(layers);
}

uint32_t tw_stack_used(void)
{
    const uint32_t *word = tw_stack_begin;
    while (word < tw_stack_end && *word == PAINT) {
        word++;
    }
    return word == tw_stack_begin ? 0 : (uint32_t)(tw_stack_end - word) * (uint32_t)sizeof *word;
}
