/* Layers computed in parts: core 0 keeps the DMA busy, all cores compute. */
#include "../kernels/tw_tiles.h"

#include <stddef.h>

#include "../kernels/tw_cluster.h"
#include "../kernels/tw_dma.h"
#include "../kernels/tw_stage.h"

/* Where the streams of two parts are: that being computed, and the next. Core 0 writes, all read. */
__attribute__((section(".l1"))) static struct {
    int kind;
    void *at[TW_STREAMS];
} parts[2];

/* A layer, its tables, and the addresses that go with it. */
struct layer {
    uint32_t streams;
    uint32_t operands;
    uint32_t resident;
    uint32_t stores; /* whether anything is stored */
    const void *const *whole;
    uint8_t *l1;
    const uint32_t *slots;
    const struct tw_copy *copies;
    const uint32_t *offsets;
    const struct tw_turn *turns;
};

__attribute__((noinline)) static void wait(tw_dma transfer)
{
    tw_dma_wait(transfer);
}

/* The transfer of the tables; core 0's. */
__attribute__((section(".l1"))) static tw_dma tables;

void tw_tiles_open(const struct tw_tiles *layer, uint8_t *l1)
{
    if (tw_core_id() == 0) {
        tables = tw_dma_open();
        tw_dma_some((uintptr_t)(l1 + layer->at), (uintptr_t)layer->tables, layer->near, layer->near, layer->near, TW_DMA_IN);
    }
}

/* Waits for what shall be near of the tables. Where the rest begins follows from the sizes. */
static void look(struct layer *layer, const struct tw_tiles *tiles)
{
    const uint32_t streams = tiles->streams, near = tiles->near;
    const uint32_t fixed = 4 * streams * (2 + 5 * (uint32_t)tiles->kinds);
    const uint8_t *l1 = layer->l1 + tiles->at;
    wait(tables);
    layer->slots = (const uint32_t *)l1;
    layer->copies = (const struct tw_copy *)(l1 + 8 * streams);
    layer->offsets = (const uint32_t *)((near > fixed ? l1 : (const uint8_t *)tiles->tables) + fixed);
    layer->streams = streams;
    layer->operands = tiles->operands;
    layer->resident = tiles->resident;
    layer->stores = ~layer->resident >> tiles->operands & ((1u << (streams - tiles->operands)) - 1);
    layer->turns = (const struct tw_turn *)(layer->offsets + streams * tiles->tiles);
}

static void __attribute__((noinline)) move_planes(const struct tw_copy *copy, const uint8_t *l1, const uint8_t *outside, int in)
{
    for (uint32_t i = 0; i < copy->planes; i++) {
        tw_dma_rows((uintptr_t)l1, (uintptr_t)outside, copy->rows, copy->row, copy->stride, in);
        l1 += copy->rows * copy->row;
        outside += copy->plane;
    }
}

/* One command in most cases, written here: all cores wait for the one that does this. */
static inline void move(const struct tw_copy *copy, const uint8_t *l1, const uint8_t *outside, int in)
{
    const uint32_t rows = copy->rows, row = copy->row, bytes = rows * row;
    if (copy->planes != 1 || bytes > TW_MCHAN_MOST) {
        move_planes(copy, l1, outside, in);
    } else {
        tw_dma_some((uintptr_t)l1, (uintptr_t)outside, bytes, row, rows == 1 ? row : copy->stride, in);
    }
}

/* Sets the addresses of part i; starts to fetch what it lacks. */
static tw_dma fetch(const struct layer *layer, uint32_t i)
{
    const uint32_t streams = layer->streams;
    const struct tw_turn *turn = &layer->turns[i];
    const struct tw_copy *copy = &layer->copies[turn->kind * streams];
    const uint32_t *offset = &layer->offsets[i * streams], *slot = layer->slots;
    const void *const *whole = layer->whole;
    uint32_t resident = layer->resident, loads = turn->loads, turns = turn->turns;
    void **at = parts[i & 1].at, **const end = at + streams;
    const tw_dma transfer = tw_dma_open();
    parts[i & 1].kind = turn->kind;
    for (; at < end; at++, copy++, slot += 2, resident >>= 1, loads >>= 1, turns >>= 1) {
        uint8_t *outside = (uint8_t *)(uintptr_t)*whole++ + *offset++;
        if ((resident & 1) != 0) {
            *at = outside;
        } else {
            uint8_t *const l1 = layer->l1 + slot[turns & 1];
            *at = l1;
            if ((loads & 1) != 0) {
                move(copy, l1, outside, TW_DMA_IN);
            }
        }
    }
    return transfer;
}

static tw_dma store(const struct layer *layer, uint32_t i)
{
    const uint32_t streams = layer->streams, resident = layer->resident;
    const struct tw_copy *copies = &layer->copies[(uint32_t)parts[i & 1].kind * streams];
    const uint32_t *offsets = &layer->offsets[i * streams];
    const tw_dma transfer = tw_dma_open();
    for (uint32_t s = layer->operands; s < streams; s++) {
        if ((resident >> s & 1) == 0) {
            move(&copies[s], parts[i & 1].at[s], (const uint8_t *)layer->whole[s] + offsets[s], TW_DMA_OUT);
        }
    }
    return transfer;
}

void tw_tiles_run(const struct tw_tiles *tiles, const void *const *whole, uint8_t *l1, void *scratch, tw_part *part)
{
    const int leads = tw_core_id() == 0;
    const uint32_t count = tiles->tiles, ahead = tiles->ahead;
    struct layer layer = { 0, 0, 0, 0, whole, l1, NULL, NULL, NULL, NULL };
    tw_dma fetched[2] = { 0, 0 }, stored[2] = { 0, 0 };

    if (leads) {
        look(&layer, tiles);
        fetched[0] = fetch(&layer, 0);
        if (ahead != 0 && count > 1) {
            fetched[1] = fetch(&layer, 1);
        }
        tw_stage_awaited();
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t next = i + 1 + ahead;
        if (leads) {
            wait(fetched[i & ahead]);
            /* The results of the part that had these slots before must be gone. */
            if (i > ahead && layer.stores != 0) {
                wait(stored[(i - 1 - ahead) & 1]);
            }
        }
        tw_barrier();
        if (leads && next >= count) {
            tw_stage_later();
        }
        part(parts[i & 1].kind, parts[i & 1].at, scratch);
        tw_barrier();
        if (leads) {
            if (layer.stores != 0) {
                stored[i & 1] = store(&layer, i);
            }
            /* The slots of part i are free for the part behind the one that comes. */
            if (next < count) {
                fetched[next & ahead] = fetch(&layer, next);
            }
        }
    }
    if (leads && layer.stores != 0) {
        if (ahead && count > 1) {
            wait(stored[count & 1]);
        }
        wait(stored[(count - 1) & 1]);
    }
}
