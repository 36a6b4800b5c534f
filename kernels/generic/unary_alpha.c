/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_unary_alpha
#define OP v < 0.0f ? alpha * v : v
#endif
/* tilewright: end */
#include <math.h>
#include <stddef.h>
#include <stdint.h>

/* A function of one float with a parameter, element by element; y may be x. */
void TW_KERNEL(const float *x, float *y, int32_t n, float alpha)
{
    for (int32_t i = 0; i < n; i++) {
        const float v = x[i];
        y[i] = OP;
    }
}
