/* Layers computed in parts: core 0 keeps the DMA busy, all cores compute. */
#include "../kernels/tw_tiles.h"

#include <stddef.h>

#include "../kernels/tw_cluster.h"
#include "../kernels/tw_dma.h"
#include "../kernels/tw_stage.h"

static void move(const struct tw_copy *copy, const uint8_t *l1, const uint8_t *outside, int in)
{
    for (uint32_t i = 0; i < copy->planes; i++) {
        tw_dma_rows((uintptr_t)l1, (uintptr_t)outside, copy->rows, copy->row, copy->stride, in);
        l1 += copy->rows * copy->row;
        outside += copy->plane;
    }
}

/* Where the streams of two parts are: that being computed, and the next. Core 0 writes, all read. */
__attribute__((section(".l1"))) static void *places[2][TW_STREAMS];

/* A layer and the addresses that go with it. */
struct layer {
    const struct tw_tiles *tiles;
    const void *const *whole;
    uint8_t *l1;
};

/* Sets the addresses of part i; starts to fetch what it lacks. */
static tw_dma fetch(const struct layer *layer, uint32_t i)
{
    const struct tw_tiles *tiles = layer->tiles;
    const struct tw_turn *turn = &tiles->turns[i];
    const struct tw_copy *copies = &tiles->copies[turn->kind * tiles->streams];
    const uint32_t *offsets = &tiles->offsets[i * tiles->streams];
    const tw_dma transfer = tw_dma_open();
    for (uint32_t s = 0; s < tiles->streams; s++) {
        const uint8_t *outside = (const uint8_t *)layer->whole[s] + offsets[s];
        uint8_t *slot = layer->l1 + tiles->slots[2 * s + (turn->turns >> s & 1)];
        if ((tiles->resident >> s & 1) != 0) {
            slot = (uint8_t *)(uintptr_t)outside;
        } else if ((turn->loads >> s & 1) != 0) {
            move(&copies[s], slot, outside, TW_DMA_IN);
        }
        places[i & 1][s] = slot;
    }
    return transfer;
}

static tw_dma store(const struct layer *layer, uint32_t i)
{
    const struct tw_tiles *tiles = layer->tiles;
    const struct tw_copy *copies = &tiles->copies[tiles->turns[i].kind * tiles->streams];
    const uint32_t *offsets = &tiles->offsets[i * tiles->streams];
    const tw_dma transfer = tw_dma_open();
    for (uint32_t s = tiles->operands; s < tiles->streams; s++) {
        if ((tiles->resident >> s & 1) == 0) {
            move(&copies[s], places[i & 1][s], (const uint8_t *)layer->whole[s] + offsets[s], TW_DMA_OUT);
        }
    }
    return transfer;
}

void tw_tiles_run(const struct tw_tiles *tiles, const void *const *whole, uint8_t *l1, void *scratch, tw_part *part)
{
    const int leads = tw_core_id() == 0;
    const uint32_t parts = tiles->tiles, ahead = tiles->ahead;
    const struct layer layer = { tiles, whole, l1 };
    tw_dma fetched = 0;
    tw_dma stored[2] = { 0, 0 };

    if (leads) {
        fetched = fetch(&layer, 0);
    }
    for (uint32_t i = 0; i < parts; i++) {
        if (leads) {
            tw_dma_wait(fetched);
            /* The results of the part that had these slots before must be gone. */
            if (i > ahead) {
                tw_dma_wait(stored[(i - 1 - ahead) & 1]);
            }
        }
        tw_barrier();
        if (leads && ahead && i + 1 < parts) {
            fetched = fetch(&layer, i + 1);
        }
        if (leads && i + 1 + ahead >= parts) {
            tw_stage_later();
        }
        part(tiles->turns[i].kind, places[i & 1], scratch);
        tw_barrier();
        if (leads) {
            stored[i & 1] = store(&layer, i);
            if (!ahead && i + 1 < parts) {
                fetched = fetch(&layer, i + 1);
            }
        }
    }
    if (leads) {
        if (ahead && parts > 1) {
            tw_dma_wait(stored[parts & 1]);
        }
        tw_dma_wait(stored[(parts - 1) & 1]);
    }
}
