/* tilewright: defaults */
#ifndef TW_KERNEL
#define TW_KERNEL tw_cross_entropy_grad
#define L_T int64_t
#endif
/* tilewright: end */
#include <math.h>
#include <stddef.h>
#include <stdint.h>

/* Gradient of the cross entropy with respect to the scores, from the logarithms of the softmax, log_prob [outer, len, inner]:
 * (exp(log_prob) - onehot(label)) * weight * dy, for the mean divided by the sum of the weights. dy has one element
 * (step 0) or one for each label (step 1); NULL stands for one over the number of labels. A label that is no
 * class, or ignored, adds nothing. weights may be NULL. dx may be log_prob. */
void TW_KERNEL(const float *dy, const float *log_prob, const L_T *labels, const float *weights, float *dx,
               int32_t outer, int32_t len, int32_t inner, int32_t dy_step, int32_t mean, int32_t ignored,
               int64_t ignore_index)
{
    const int32_t rows = outer * inner;
    float total = 0.0f;
    for (int32_t row = 0; row < rows; row++) {
        const int64_t label = (int64_t)labels[row];
        if (label >= 0 && label < len && !(ignored && label == ignore_index)) {
            total += weights != NULL ? weights[label] : 1.0f;
        }
    }
    const float scale = mean && total != 0.0f ? 1.0f / total : 1.0f;
    for (int32_t row = 0; row < rows; row++) {
        const ptrdiff_t start = (ptrdiff_t)(row / inner) * len * inner + row % inner;
        const int64_t label = (int64_t)labels[row];
        const int counts = label >= 0 && label < len && !(ignored && label == ignore_index);
        float factor = 0.0f;
        if (counts) {
            const float weight = weights != NULL ? weights[label] : 1.0f;
            factor = weight * scale * (dy != NULL ? dy[row * dy_step] : 1.0f / (float)rows);
        }
        for (int32_t i = 0; i < len; i++) {
            const float hot = i == label ? 1.0f : 0.0f;
            const ptrdiff_t at = start + (ptrdiff_t)i * inner;
            dx[at] = counts ? (expf(log_prob[at]) - hot) * factor : 0.0f;
        }
    }
}
