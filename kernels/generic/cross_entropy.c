/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_cross_entropy
#define L_T int64_t
#endif
/* tilewright: end */
#include <math.h>
#include <stddef.h>
#include <stdint.h>

/* Cross entropy of scores [outer, len, inner], classes in the middle, against labels [outer, inner]. The loss is one for each
 * label (each 1), else their sum, or with `mean` their weighted mean. A label that is no class, or ignored, adds
 * nothing. weights and log_prob may be NULL. */
void TW_KERNEL(const float *scores, const L_T *labels, const float *weights, float *loss, float *log_prob,
               int32_t outer, int32_t len, int32_t inner, int32_t each, int32_t mean, int32_t ignored,
               int64_t ignore_index)
{
    float sum = 0.0f;
    float total = 0.0f;
    for (int32_t row = 0; row < outer * inner; row++) {
        const ptrdiff_t start = (ptrdiff_t)(row / inner) * len * inner + row % inner;
        const float *x = scores + start;
        float max = x[0];
        for (int32_t i = 1; i < len; i++) {
            max = fmaxf(max, x[i * inner]);
        }
        float exponentials = 0.0f;
        for (int32_t i = 0; i < len; i++) {
            exponentials += expf(x[i * inner] - max);
        }
        const float log_sum = logf(exponentials);
        const int64_t label = (int64_t)labels[row];
        float l = 0.0f;
        if (label >= 0 && label < len && !(ignored && label == ignore_index)) {
            const float weight = weights != NULL ? weights[label] : 1.0f;
            l = weight * (log_sum + max - x[(int32_t)label * inner]);
            total += weight;
        }
        sum += l;
        if (each) {
            loss[row] = l;
        }
        if (log_prob != NULL) {
            for (int32_t i = 0; i < len; i++) {
                log_prob[start + i * inner] = x[i * inner] - max - log_sum;
            }
        }
    }
    if (!each) {
        loss[0] = mean && total != 0.0f ? sum / total : sum;
    }
}
