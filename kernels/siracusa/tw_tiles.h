/*
 * Layers computed in parts in L1: the DMA fetches operands and stores results while all cores compute.
 */
#ifndef TW_TILES_H
#define TW_TILES_H

#include <stdint.h>

/* Operands and results of a layer at most. */
#define TW_STREAMS 16

/* How a part lies in its tensor: planes of rows of bytes. In L1 it is contiguous. */
struct tw_copy {
    uint32_t row;    /* bytes of a row */
    uint32_t rows;   /* rows of a plane */
    uint32_t stride; /* bytes from one row to the next */
    uint32_t planes;
    uint32_t plane; /* bytes from one plane to the next */
};

/* What is done for one part. */
struct tw_turn {
    uint16_t kind;  /* which of the parts that are alike */
    uint16_t loads; /* bit s: operand s is fetched */
    uint16_t turns; /* bit s: stream s uses its second slot */
    uint16_t none;
};

/*
 * A layer. A stream is an operand or a result; operands come first.
 *
 * Its tables lie one behind the other: of each stream two slots, in bytes from the start of the layer's share of L1; of each
 * kind and stream a struct tw_copy; of each part and stream the bytes from the tensor's start; of each part a struct
 * tw_turn. The first `near` bytes of them are copied to L1, where they are read faster.
 */
struct tw_tiles {
    uint16_t tiles;
    uint16_t kinds;
    uint8_t streams;
    uint8_t operands;
    uint16_t ahead;    /* whether a part is fetched while the one before it is computed */
    uint16_t resident; /* bit s: the whole tensor of stream s is in L1, its parts are used where they are */
    uint16_t near;     /* bytes of tables copied to L1 */
    uint32_t at;       /* where to, in bytes from the start of the share */
    const void *tables;
};

/* Computes a part; all cores call it. */
typedef void tw_part(int kind, void *const *at, void *scratch);

/* Starts to fetch the tables of a layer that runs next; all cores call it, before other transfers start that take longer. */
void tw_tiles_open(const struct tw_tiles *layer, uint8_t *l1);

/*
 * Runs a layer that was opened; all cores call it. `whole` holds the tensors' addresses, l1 is the arena of the parts. Ends when all
 * results are stored.
 */
void tw_tiles_run(const struct tw_tiles *layer, const void *const *whole, uint8_t *l1, void *scratch, tw_part *part);

#endif
