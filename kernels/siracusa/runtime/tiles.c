/* Layers computed in parts: core 0 keeps the DMA busy, all cores compute. */
#include "../kernels/tw_tiles.h"

#include <stddef.h>

#include "../kernels/tw_cluster.h"
#include "../kernels/tw_dma.h"

static void move(const struct tw_copy *copy, const uint8_t *l1, const uint8_t *outside, int in)
{
    for (uint32_t i = 0; i < copy->planes; i++) {
        tw_dma_rows((uintptr_t)l1, (uintptr_t)outside, copy->rows, copy->row, copy->stride, in);
        l1 += copy->rows * copy->row;
        outside += copy->plane;
    }
}

/* Starts to move the streams first to last - 1 of part i, those whose bit is set. */
static tw_dma start(const struct tw_tiles *layer, const void *const *whole, const uint8_t *l1, uint32_t i,
                    uint32_t first, uint32_t last, uint32_t which, int in)
{
    const struct tw_turn *turn = &layer->turns[i];
    const struct tw_copy *copies = &layer->copies[turn->kind * layer->streams];
    const uint32_t *offsets = &layer->offsets[i * layer->streams];
    const tw_dma transfer = tw_dma_open();
    for (uint32_t s = first; s < last; s++) {
        if ((which >> s & 1) != 0) {
            const uint8_t *slot = l1 + layer->slots[2 * s + (turn->turns >> s & 1)];
            move(&copies[s], slot, (const uint8_t *)whole[s] + offsets[s], in);
        }
    }
    return transfer;
}

static tw_dma fetch(const struct tw_tiles *layer, const void *const *whole, const uint8_t *l1, uint32_t i)
{
    return start(layer, whole, l1, i, 0, layer->operands, layer->turns[i].loads, TW_DMA_IN);
}

static tw_dma store(const struct tw_tiles *layer, const void *const *whole, const uint8_t *l1, uint32_t i)
{
    return start(layer, whole, l1, i, layer->operands, layer->streams, UINT32_MAX, TW_DMA_OUT);
}

void tw_tiles_run(const struct tw_tiles *layer, const void *const *whole, uint8_t *l1, void *scratch, tw_part *part)
{
    const int leads = tw_core_id() == 0;
    const uint32_t tiles = layer->tiles, ahead = layer->ahead;
    tw_dma fetched = 0;
    tw_dma stored[2] = { 0, 0 };
    void *at[TW_STREAMS];

    if (leads) {
        fetched = fetch(layer, whole, l1, 0);
    }
    for (uint32_t i = 0; i < tiles; i++) {
        const struct tw_turn *turn = &layer->turns[i];
        if (leads) {
            tw_dma_wait(fetched);
            /* The results of the part that had these slots before must be gone. */
            if (i > ahead) {
                tw_dma_wait(stored[(i - 1 - ahead) & 1]);
            }
        }
        for (uint32_t s = 0; s < layer->streams; s++) {
            at[s] = l1 + layer->slots[2 * s + (turn->turns >> s & 1)];
        }
        tw_barrier();
        if (leads && ahead && i + 1 < tiles) {
            fetched = fetch(layer, whole, l1, i + 1);
        }
        part(turn->kind, at, scratch);
        tw_barrier();
        if (leads) {
            stored[i & 1] = store(layer, whole, l1, i);
            if (!ahead && i + 1 < tiles) {
                fetched = fetch(layer, whole, l1, i + 1);
            }
        }
    }
    if (leads) {
        if (ahead && tiles > 1) {
            tw_dma_wait(stored[tiles & 1]);
        }
        tw_dma_wait(stored[(tiles - 1) & 1]);
    }
}
