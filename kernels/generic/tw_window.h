/* The taps of a window that lie on the input, along one axis: first_tap .. end_tap - 1, for a window whose tap 0 is at
 * `start` (negative in the padding). Steps instead of divisions: the loops run at the borders only. */
#ifndef TW_WINDOW_H
#define TW_WINDOW_H

#include <stdint.h>

static inline int32_t tw_first_tap(int32_t start, int32_t dilation, int32_t taps)
{
    int32_t tap = 0;
    while (tap < taps && start < 0) {
        start += dilation;
        tap++;
    }
    return tap;
}

static inline int32_t tw_end_tap(int32_t start, int32_t dilation, int32_t taps, int32_t size)
{
    int32_t at = start + (taps - 1) * dilation;
    while (taps > 0 && at >= size) {
        at -= dilation;
        taps--;
    }
    return taps;
}

#endif
