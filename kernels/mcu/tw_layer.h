/* Where a layer begins; the programs that measure networks count from here. Otherwise it is nothing. */
#ifndef TW_LAYER_H
#define TW_LAYER_H

#include <stdint.h>

#ifdef TW_MEASURE
void tw_layer_begin(uint32_t layer);
#define TW_LAYER(layer) tw_layer_begin(layer)
#else
#define TW_LAYER(layer) ((void)0)
#endif

#endif
