/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_sgd
#endif
/* tilewright: end */
#include <stdint.h>

/* y = w - lr * dw, element by element. y may be w or dw. */
void TW_KERNEL(const float *w, const float *dw, float *y, int32_t n, float lr)
{
    for (int32_t i = 0; i < n; i++) {
        y[i] = w[i] - lr * dw[i];
    }
}
