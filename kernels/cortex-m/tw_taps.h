/*
 * Where the taps of windows of bytes lie.
 */
#ifndef TW_TAPS_H
#define TW_TAPS_H

#include <stdint.h>

/* Taps of windows: rows by columns, in bytes from one to the next, and from one window to the next. */
struct tw_window {
    int32_t channels;
    int32_t rows;
    int32_t columns;
    int32_t row_step;
    int32_t step;
    int32_t next;
};

#endif
