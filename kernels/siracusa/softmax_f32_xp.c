/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_softmax_f32_xp
#endif
/* tilewright: end */
#include <stddef.h>
#include <stdint.h>

#include "tw_cluster.h"
#include "tw_floats.h"

/* Softmax of each of `rows` rows of `len` floats, on all cores, each of which has rows of its own. y may be x. */
void TW_KERNEL(const float *x, float *y, int32_t rows, int32_t len)
{
    const struct tw_range part = tw_split((size_t)rows, 1);
    struct tw_exp e;
    tw_exp_begin(&e);
    x += (ptrdiff_t)part.begin * len;
    y += (ptrdiff_t)part.begin * len;
    for (size_t r = part.begin; r < part.end; r++, x += len, y += len) {
        float max = x[0], sum = 0.0f, scale;
        int32_t i;
        for (i = 1; i < len; i++) {
            max = tw_fmax(max, x[i]);
        }
        for (i = 0; i < len; i++) {
            y[i] = tw_exp(&e, x[i] - max);
            sum += y[i];
        }
        scale = 1.0f / sum;
        for (i = 0; i + 3 < len; i += 4) {
            const float a = y[i], b = y[i + 1], c = y[i + 2], d = y[i + 3];
            y[i] = a * scale;
            y[i + 1] = b * scale;
            y[i + 2] = c * scale;
            y[i + 3] = d * scale;
        }
        for (; i < len; i++) {
            y[i] *= scale;
        }
    }
}
