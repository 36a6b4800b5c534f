/*
 * Windows of floats that a block of channels is computed from.
 */
#ifndef TW_WINDOWS_H
#define TW_WINDOWS_H

#include <stdint.h>

/* Rows of taps, each a run of floats; what lies behind a row of x, and of w; from one window, and result, to the next. */
struct tw_windows {
    int32_t rows;
    int32_t run;
    int32_t x_skip;
    int32_t w_skip;
    int32_t next;
    int32_t y_next;
    float lo;
    float hi;
};

#endif
