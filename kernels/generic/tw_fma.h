/*
 * The sum of a float and a product: one rounding instead of two where that is one instruction.
 */
#ifndef TW_FMA_H
#define TW_FMA_H

#ifdef __FP_FAST_FMAF
#include <math.h>
#define TW_FMA(a, b, sum) fmaf(a, b, sum)
#else
#define TW_FMA(a, b, sum) ((sum) + (a) * (b))
#endif

#endif
