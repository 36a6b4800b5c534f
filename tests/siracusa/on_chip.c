/*
 * The cluster's kernels with their operands in L1, measured on the chip. Prints for each case its name, its MAC, the
 * cycles of a second run (when the instructions are cached) and a checksum of the results. Compiled for this machine
 * it prints the same without cycles: the checksums of the instructions' twins.
 */
#include <stddef.h>
#include <stdint.h>

#include "tw_cluster.h"

#if defined(__riscv)
#include "../runtime/tw_runtime.h"
#define L1 __attribute__((section(".l1.case"), aligned(16)))
#define START(core) (void)0
#else
#include <stdio.h>
#define L1
int tw_twin_core;
int tw_twin_cores = 8;
#endif

#define X 32768
#define W 98304
#define Y 65536

L1 static uint8_t x[X], w[W], y[Y];
L1 static int32_t bias[512], mul[512], add[512];
L1 static uint8_t scratch[16384];
static const int32_t one_batch[4] = {1, 0, 0, 0};

typedef const uint8_t *in_t;
void conv(in_t x, in_t w, const int32_t *bias, uint8_t *y, int32_t n, int32_t in_h, int32_t in_w, int32_t out_h,
          int32_t out_w, int32_t group, int32_t group_in, int32_t group_out, int32_t kernel_h, int32_t kernel_w,
          int32_t stride_h, int32_t stride_w, int32_t dil_h, int32_t pad_top, int32_t pad_left, int32_t x_pixel,
          int32_t x_row, int32_t x_image, int32_t y_pixel, int32_t y_row, int32_t y_image, const int32_t *mul,
          const int32_t *add, int32_t mul_step, int32_t add_step, int shift, int32_t lo, int32_t hi, int fits);
void conv_copy(in_t x, in_t w, const int32_t *bias, uint8_t *y, int32_t n, int32_t in_h, int32_t in_w, int32_t out_h,
               int32_t out_w, int32_t group, int32_t group_in, int32_t group_out, int32_t kernel_h, int32_t kernel_w,
               int32_t stride_h, int32_t stride_w, int32_t dil_h, int32_t dil_w, int32_t pad_top, int32_t pad_left,
               int32_t x_pixel, int32_t x_row, int32_t x_image, int32_t y_pixel, int32_t y_row, int32_t y_image,
               const int32_t *mul, const int32_t *add, int32_t mul_step, int32_t add_step, int shift, int32_t lo,
               int32_t hi, int fits, void *scratch, int32_t room);
void conv_pad(in_t x, in_t w, const int32_t *bias, uint8_t *y, int32_t n, int32_t in_h, int32_t in_w, int32_t out_h,
              int32_t out_w, int32_t in_c, int32_t out_c, int32_t kernel_h, int32_t kernel_w, int32_t stride_h,
              int32_t stride_w, int32_t dil_h, int32_t pad_top, int32_t pad_left, const int32_t *mul, const int32_t *add,
              int32_t mul_step, int32_t add_step, int shift, int32_t lo, int32_t hi, int fits, void *scratch);
void conv_pw(in_t x, in_t w, const int32_t *bias, uint8_t *y, int32_t pixels, int32_t in_c, int32_t out_c,
             const int32_t *mul, const int32_t *add, int32_t mul_step, int32_t add_step, int shift, int32_t lo, int32_t hi, int fits);
void depthwise(in_t x, in_t w, const int32_t *bias, uint8_t *y, int32_t n, int32_t channels, int32_t multiplier,
               int32_t in_h, int32_t in_w, int32_t out_h, int32_t out_w, int32_t kernel_h, int32_t kernel_w,
               int32_t stride_h, int32_t stride_w, int32_t dil_h, int32_t dil_w, int32_t pad_top, int32_t pad_left,
               int32_t x_pixel, int32_t x_row, int32_t x_image, int32_t y_pixel, int32_t y_row, int32_t y_image,
               const int32_t *mul, const int32_t *add, int32_t mul_step, int32_t add_step, int shift, int32_t lo,
               int32_t hi);
void depthwise_any(in_t x, in_t w, const int32_t *bias, uint8_t *y, int32_t n, int32_t channels, int32_t in_h,
                   int32_t in_w, int32_t out_h, int32_t out_w, int32_t kernel_h, int32_t kernel_w, int32_t stride_h,
                   int32_t stride_w, int32_t dil_h, int32_t dil_w, int32_t pad_top, int32_t pad_left, int32_t x_pixel,
                   int32_t x_row, int32_t x_image, int32_t y_pixel, int32_t y_row, int32_t y_image, const int32_t *mul,
                   const int32_t *add, int32_t mul_step, int32_t add_step, int shift, int32_t lo, int32_t hi, int fits);
void matmul(in_t a, in_t b, const int32_t *c, uint8_t *y, int32_t m, int32_t k, int32_t n, int32_t a_row, int32_t a_col,
            int32_t b_row, int32_t b_col, int32_t c_row, int32_t c_col, int32_t alpha, int32_t beta, int32_t batch,
            int32_t batch_rank, const int32_t *walk, int32_t y_row, int32_t y_batch, const int32_t *mul,
            const int32_t *add, int32_t mul_col, int32_t add_col, int shift, int32_t lo, int32_t hi, int fits, void *scratch,
            int32_t room);
void matmul_packed(in_t a, in_t b, const int32_t *c, uint8_t *y, int32_t m, int32_t k, int32_t n, int32_t a_row,
                   int32_t a_col, int32_t b_row, int32_t b_col, int32_t c_row, int32_t c_col, int32_t alpha,
                   int32_t beta, int32_t batch, int32_t batch_rank, const int32_t *walk, int32_t y_row,
                   int32_t y_batch, const int32_t *mul, const int32_t *add, int32_t mul_col, int32_t add_col,
                   int shift, int32_t lo, int32_t hi, int fits, void *scratch, int32_t room);

void matmul_f32(const float *a, const float *b, const float *c, float *y, int32_t m, int32_t k, int32_t n, int32_t a_row,
                int32_t a_col, int32_t b_row, int32_t b_col, int32_t c_row, int32_t c_col, float alpha, float beta,
                int32_t batch, int32_t batch_rank, const int32_t *walk, int32_t y_row, int32_t y_batch, float lo,
                float hi);
void conv_f32(const float *x, const float *w, const float *bias, float *y, int32_t n, int32_t in_h, int32_t in_w,
              int32_t out_h, int32_t out_w, int32_t group, int32_t group_in, int32_t group_out, int32_t kernel_h,
              int32_t kernel_w, int32_t stride_h, int32_t stride_w, int32_t dil_h, int32_t dil_w, int32_t pad_top,
              int32_t pad_left, int32_t x_pixel, int32_t x_row, int32_t x_image, int32_t y_pixel, int32_t y_row,
              int32_t y_image, float lo, float hi);

void gemv(in_t a, in_t b, const int32_t *c, uint8_t *y, int32_t words, int32_t n, const int32_t *mul, const int32_t *add,
          int32_t mul_step, int32_t add_step, int shift, int32_t lo, int32_t hi, int fits);
void dots(in_t a, in_t b, uint8_t *y, int32_t m, int32_t k, int32_t n, int32_t a_row, int32_t a_col, int32_t b_row,
          int32_t b_col, int32_t batch, int32_t batch_rank, const int32_t *walk, const int32_t *mul, const int32_t *add,
          int32_t mul_step, int32_t add_step, int shift, int32_t lo, int32_t hi, int fits);
void sum_rq(in_t a, in_t b, const int32_t *mul, const int32_t *add, uint8_t *y, int32_t rows, int32_t len, int32_t a_row,
            int32_t a_step, int32_t b_row, int32_t b_step, int shift, int32_t lo, int32_t hi, void *scratch);
void requant_bytes(in_t x, const int32_t *mul, const int32_t *add, uint8_t *y, int32_t outer, int32_t channels,
                   int32_t inner, int32_t mul_step, int32_t add_step, int shift, int32_t lo, int32_t hi, void *table);
void requant_words(const int32_t *x, const int32_t *mul, const int32_t *add, uint8_t *y, int32_t outer, int32_t channels,
                   int32_t inner, int32_t mul_step, int32_t add_step, int shift, int32_t lo, int32_t hi, void *table);
void lookup(in_t x, in_t table, uint8_t *y, int32_t n);
void softmax(in_t x, uint8_t *y, int32_t rows, int32_t len, int32_t a, int32_t b, int32_t c, int32_t log2, uint32_t recip,
             int32_t top, void *scratch);
void rms_norm(in_t x, const int32_t *weight, uint8_t *y, int32_t rows, int32_t len, int32_t weight_step, int shift,
              int32_t lo, int32_t hi);
void strided(in_t x, uint8_t *y, int32_t offset, int32_t loops, const int32_t *dims, const int32_t *strides);
void matmul_s32(const int32_t *a, const int32_t *b, const int32_t *c, int32_t *y, int32_t m, int32_t k, int32_t n,
                int32_t a_row, int32_t a_col, int32_t b_row, int32_t b_col, int32_t c_row, int32_t c_col, int32_t alpha,
                int32_t beta, int32_t batch, int32_t batch_rank, const int32_t *walk);
void softmax_f32(const float *x, float *y, int32_t rows, int32_t len);
void gelu_f32(const float *x, float *y, int32_t n);
void mul_f32(const float *a, const float *b, float *y, int32_t rows, int32_t len, int32_t a_row, int32_t a_step,
             int32_t b_row, int32_t b_step);

enum kind { NOTHING, CONV, COPY, PAD, POINTWISE, DEPTHWISE, ANY, MATMUL, MATMUL_T, PACKED, GEMV, DOTS, DOTS_T, SUM, REQUANT,
            LOOKUP, SOFTMAX, RMS, TRANSPOSE, REQUANT_S32, S32, F32, F32_T, F32_CONV, F32_SOFTMAX, F32_GELU, F32_MUL };

struct test {
    const char *name;
    enum kind kind;
    /* CONV to POINTWISE, DEPTHWISE, ANY: input h, w, channels, output channels, kernel h, w, stride, pad. MATMUL to
     * DOTS_T, S32, F32: m, k, n at h, c, o, and a batch at w. Others: rows at h, columns at o. */
    int h, w, c, o, kh, kw, stride, pad;
};

static const struct test tests[] = {
    {"nothing", NOTHING, 0, 0, 0, 0, 0, 0, 0, 0},
    {"conv 3x3 32-32 16x16", CONV, 16, 16, 32, 32, 3, 3, 1, 1},
    {"conv 3x3 16-16 32x32", CONV, 32, 32, 16, 16, 3, 3, 1, 1},
    {"conv 3x3 64-64 8x8", CONV, 8, 8, 64, 64, 3, 3, 1, 1},
    {"conv 3x3 16-32 32x32 stride 2", CONV, 32, 32, 16, 32, 3, 3, 2, 1},
    {"conv 3x3 64-100 4x4", CONV, 4, 4, 64, 100, 3, 3, 1, 1},
    {"conv 1d 5 32-32 64", CONV, 1, 64, 32, 32, 1, 5, 1, 2},
    {"pointwise 32-32 16x16", POINTWISE, 1, 256, 32, 32, 1, 1, 1, 0},
    {"pointwise 64-64 10x10", POINTWISE, 1, 100, 64, 64, 1, 1, 1, 0},
    {"pointwise 128-128 8x8", POINTWISE, 1, 64, 128, 128, 1, 1, 1, 0},
    {"first 3x3 3-16 32x32", PAD, 32, 32, 3, 16, 3, 3, 1, 1},
    {"first 3x3 1-16 32x32", PAD, 32, 32, 1, 16, 3, 3, 1, 1},
    {"first 10x4 1-64 49x10 stride 2", PAD, 49, 10, 1, 64, 10, 4, 2, 1},
    {"windows 3x3 3-16 16x16", COPY, 16, 16, 3, 16, 3, 3, 1, 1},
    {"depthwise 3x3 32 16x16", DEPTHWISE, 16, 16, 32, 32, 3, 3, 1, 1},
    {"depthwise 3x3 64 20x5", DEPTHWISE, 20, 5, 64, 64, 3, 3, 1, 1},
    {"depthwise 3x3 64 16x16 stride 2", DEPTHWISE, 16, 16, 64, 64, 3, 3, 2, 1},
    {"depthwise 5x5 16 16x16", ANY, 16, 16, 16, 16, 5, 5, 1, 2},
    {"matmul constant 64x64x64", PACKED, 64, 0, 64, 64, 0, 0, 0, 0},
    {"matmul constant 16x256x64", PACKED, 16, 0, 256, 64, 0, 0, 0, 0},
    {"matmul a*b 64x64x64", MATMUL, 64, 0, 64, 64, 0, 0, 0, 0},
    {"matmul a*bT 64x64x64", MATMUL_T, 64, 0, 64, 64, 0, 0, 0, 0},
    {"gemv constant 256x256", GEMV, 1, 0, 256, 256, 0, 0, 0, 0},
    {"gemv constant 512x256", GEMV, 1, 0, 512, 256, 0, 0, 0, 0},
    {"gemv constant 64x64", GEMV, 1, 0, 64, 64, 0, 0, 0, 0},
    {"gemv a*b 128x128", DOTS, 1, 0, 128, 128, 0, 0, 0, 0},
    {"gemv a*bT 128x128", DOTS_T, 1, 0, 128, 128, 0, 0, 0, 0},
    {"16 of 64x4 times 4x64", DOTS_T, 64, 16, 4, 64, 0, 0, 0, 0},
    {"sum 16384", SUM, 64, 0, 0, 256, 0, 0, 0, 0},
    {"sum 1024", SUM, 16, 0, 0, 64, 0, 0, 0, 0},
    {"requantise 16384", REQUANT, 64, 0, 0, 256, 0, 0, 0, 0},
    {"requantise 512", REQUANT, 8, 0, 0, 64, 0, 0, 0, 0},
    {"look up 16384", LOOKUP, 64, 0, 0, 256, 0, 0, 0, 0},
    {"softmax 256x64", SOFTMAX, 256, 0, 0, 64, 0, 0, 0, 0},
    {"softmax 8x16", SOFTMAX, 8, 0, 0, 16, 0, 0, 0, 0},
    {"RMS norm 64x64", RMS, 64, 0, 0, 64, 0, 0, 0, 0},
    {"transpose 64x256", TRANSPOSE, 64, 0, 0, 256, 0, 0, 0, 0},
    {"requantise int32 8192", REQUANT_S32, 32, 0, 0, 256, 0, 0, 0, 0},
    {"int32 matmul 32x64x64", S32, 32, 1, 64, 64, 0, 0, 0, 0},
    {"float32 matmul a*b 64x64x64", F32, 64, 0, 64, 64, 0, 0, 0, 0},
    {"float32 matmul a*bT 64x64x64", F32_T, 64, 0, 64, 64, 0, 0, 0, 0},
    {"float32 gemv a*bT 128x80", F32_T, 1, 0, 128, 80, 0, 0, 0, 0},
    {"float32 conv 3x3 16-16 16x16", F32_CONV, 16, 16, 16, 16, 3, 3, 1, 1},
    {"float32 softmax 64x64", F32_SOFTMAX, 64, 0, 0, 64, 0, 0, 0, 0},
    {"float32 GELU 4096", F32_GELU, 64, 0, 0, 64, 0, 0, 0, 0},
    {"float32 a*b 4096", F32_MUL, 64, 0, 0, 64, 0, 0, 0, 0},
};

static const struct test *now;

/* The same memory as floats: 1/64 steps from -2 to 2, whose sums are exact in any order. */
static float *const fx = (float *)(void *)x, *const fw = (float *)(void *)w, *const fy = (float *)(void *)y;

static void fill_floats(float *to, uint32_t n, uint32_t seed)
{
    for (uint32_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        to[i] = (float)((int32_t)(seed >> 24) - 128) / 64.0f;
    }
}

static void run(void)
{
    const struct test *t = now;
    const int oh = t->stride != 0 ? (t->h + 2 * t->pad - t->kh) / t->stride + 1 : 0;
    const int ow = t->stride != 0 ? (t->w + 2 * t->pad - t->kw) / t->stride + 1 : 0;
    const int taps = t->kh * t->kw * t->c, room = t->kind == COPY ? (taps + 3) / 4 * 16 * 8 : 2048;
    switch (t->kind) {
    case NOTHING:
        break;
    case CONV: {
        /* No padding above and below one row. */
        const int top = t->h == 1 ? 0 : t->pad, rows = t->h == 1 ? 1 : oh;
        conv(x, w, bias, y, 1, t->h, t->w, rows, ow, 1, t->c, t->o, t->kh, t->kw, t->stride, t->stride, 1, top, t->pad,
             t->c, t->w * t->c, 0, t->o, ow * t->o, 0, mul, add, 1, 1, 16, 0, 255, 1);
        break;
    }
    case COPY:
        conv_copy(x, w, bias, y, 1, t->h, t->w, oh, ow, 1, t->c, t->o, t->kh, t->kw, t->stride, t->stride, 1, 1, t->pad,
                  t->pad, t->c, t->w * t->c, 0, t->o, ow * t->o, 0, mul, add, 1, 1, 16, 0, 255, 1, scratch, room);
        break;
    case PAD:
        conv_pad(x, w, bias, y, 1, t->h, t->w, oh, ow, t->c, t->o, t->kh, t->kw, t->stride, t->stride, 1, t->pad, t->pad,
                 mul, add, 1, 1, 16, 0, 255, 1, scratch);
        break;
    case POINTWISE:
        conv_pw(x, w, bias, y, t->h * t->w, t->c, t->o, mul, add, 1, 1, 16, 0, 255, 1);
        break;
    case DEPTHWISE:
        depthwise(x, w, bias, y, 1, t->c, 1, t->h, t->w, oh, ow, t->kh, t->kw, t->stride, t->stride, 1, 1, t->pad, t->pad,
                  t->c, t->w * t->c, 0, t->c, ow * t->c, 0, mul, add, 1, 1, 16, 0, 255);
        break;
    case ANY:
        depthwise_any(x, w, bias, y, 1, t->c, t->h, t->w, oh, ow, t->kh, t->kw, t->stride, t->stride, 1, 1, t->pad, t->pad,
                      t->c, t->w * t->c, 0, t->c, ow * t->c, 0, mul, add, 1, 1, 16, 0, 255, 1);
        break;
    case PACKED:
        matmul_packed(x, w, bias, y, t->h, t->c, t->o, t->c, 1, 0, 0, 0, 1, 1, 1, 1, 1, one_batch, t->o, 0, mul, add, 1,
                      1, 16, 0, 255, 1, scratch, room);
        break;
    case MATMUL:
        matmul(x, w, NULL, y, t->h, t->c, t->o, t->c, 1, t->o, 1, 0, 1, 1, 1, 1, 1, one_batch, t->o, 0, mul, add, 0, 0, 16,
               0, 255, 1, scratch, room);
        break;
    case F32:
        matmul_f32(fx, fw, NULL, fy, t->h, t->c, t->o, t->c, 1, t->o, 1, 0, 1, 1.0f, 1.0f, 1, 1, one_batch, t->o, 0, -100.0f,
                   100.0f);
        break;
    case F32_T:
        matmul_f32(fx, fw, NULL, fy, t->h, t->c, t->o, t->c, 1, 1, t->c, 0, 1, 1.0f, 1.0f, 1, 1, one_batch, t->o, 0, -100.0f,
                   100.0f);
        break;
    case F32_CONV:
        conv_f32(fx, fw, NULL, fy, 1, t->h, t->w, oh, ow, 1, t->c, t->o, t->kh, t->kw, t->stride, t->stride, 1, 1, t->pad,
                 t->pad, t->c, t->w * t->c, 0, t->o, ow * t->o, 0, -100.0f, 100.0f);
        break;
    case GEMV:
        gemv(x, w, bias, y, t->c / 4, t->o, mul, add, 1, 1, 16, 0, 255, 1);
        break;
    case DOTS:
        dots(x, w, y, t->h, t->c, t->o, t->c, 1, t->o, 1, 1, 1, one_batch, mul, add, 0, 0, 16, 0, 255, 1);
        break;
    case DOTS_T: {
        const int32_t walk[4] = {t->w, t->h * t->c, t->c * t->o, 0};
        dots(x, w, y, t->h, t->c, t->o, t->c, 1, 1, t->c, t->w > 1 ? t->w : 1, 1, walk, mul, add, 0, 0, 16, 0, 255, 1);
        break;
    }
    case SUM:
        sum_rq(x, w, mul, add, y, t->h, t->o, t->o, 1, 0, 1, 8, 0, 255, scratch);
        break;
    case REQUANT:
        requant_bytes(x, mul, add, y, 1, 1, t->h * t->o, 0, 0, 8, 0, 255, scratch);
        break;
    case REQUANT_S32:
        requant_words((const int32_t *)(const void *)w, mul, add, y, 1, 1, t->h * t->o, 0, 0, 8, 0, 255, NULL);
        break;
    case LOOKUP:
        lookup(x, w, y, t->h * t->o);
        break;
    case SOFTMAX:
        softmax(x, y, t->h, t->o, 1, 85, 3770, 63, 266306u, 255, scratch);
        break;
    case RMS:
        rms_norm(x, mul, y, t->h, t->o, 1, 8, -128, 127);
        break;
    case TRANSPOSE: {
        const int32_t dims[2] = {t->o, t->h}, strides[2] = {1, t->o};
        strided(x, y, 0, 2, dims, strides);
        break;
    }
    case S32:
        matmul_s32((const int32_t *)(const void *)x, (const int32_t *)(const void *)w, NULL, (int32_t *)(void *)y, t->h, t->c,
                   t->o, t->c, 1, t->o, 1, 0, 1, 1, 1, 1, 1, one_batch);
        break;
    case F32_SOFTMAX:
        softmax_f32(fx, fy, t->h, t->o);
        break;
    case F32_GELU:
        gelu_f32(fx, fy, t->h * t->o);
        break;
    case F32_MUL:
        mul_f32(fx, fw, fy, t->h, t->o, t->o, 1, 0, 1);
        break;
    case MATMUL_T:
        matmul(x, w, NULL, y, t->h, t->c, t->o, t->c, 1, 1, t->c, 0, 1, 1, 1, 1, 1, one_batch, t->o, 0, mul, add, 0, 0, 16,
               0, 255, 1, scratch, room);
        break;
    }
}

/* MAC of a case, or elements, and how many bytes it computes. */
static uint32_t macs(const struct test *t, uint32_t *bytes)
{
    const uint32_t width = t->kind >= S32 ? 4 : 1;
    if (t->stride == 0) {
        *bytes = (uint32_t)(t->h * t->o * (t->w > 1 ? t->w : 1)) * width;
        return *bytes / width * (uint32_t)(t->c > 0 ? t->c : 1);
    }
    const int oh = t->h == 1 ? 1 : (t->h + 2 * t->pad - t->kh) / t->stride + 1;
    const int ow = (t->w + 2 * t->pad - t->kw) / t->stride + 1;
    *bytes = (uint32_t)(oh * ow * t->o) * width;
    return *bytes / width * (uint32_t)(t->kh * t->kw * (t->kind == DEPTHWISE || t->kind == ANY ? 1 : t->c));
}

static void fill(uint8_t *to, uint32_t bytes, uint32_t seed)
{
    for (uint32_t i = 0; i < bytes; i++) {
        seed = seed * 1664525u + 1013904223u;
        to[i] = (uint8_t)(seed >> 24);
    }
}

static void prepare(void)
{
    if (tw_core_id() == 0) {
        fill(x, X, 1);
        fill(w, W, 2);
        fill(y, Y, 3);
        fill(scratch, sizeof scratch, 4);
        for (int32_t i = 0; i < 512; i++) {
            bias[i] = 100 * (i % 7) - 300;
            mul[i] = 200 + 13 * (i % 31);
            add[i] = 5000000 + 1000 * i;
        }
    }
}

/* For the float cases, which come last. */
static void prepare_floats(void)
{
    if (tw_core_id() == 0) {
        fill_floats(fx, X / 4, 5);
        fill_floats(fw, W / 4, 6);
    }
}

static uint32_t checksum(uint32_t bytes)
{
    uint32_t sum = 1, mix = 0;
    for (uint32_t i = 0; i < bytes; i++) {
        sum = (sum + y[i]) % 65521;
        mix = (mix + sum) % 65521;
    }
    return mix << 16 | sum;
}

#if defined(__riscv)
static void work(void)
{
    tw_measure_begin();
    run();
    tw_barrier();
    tw_measure_end();
}

static uint32_t sum_now, bytes_now;

static void sum(void)
{
    if (tw_core_id() == 0) {
        sum_now = checksum(bytes_now);
    }
}

int main(void)
{
    tw_cluster_start();
    tw_cluster_run(prepare);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        uint32_t all;
        now = &tests[i];
        all = macs(now, &bytes_now);
        if (now->kind == F32 && now[-1].kind != F32) {
            tw_cluster_run(prepare_floats);
        }
        tw_cluster_run(work);
        tw_cluster_run(work);
        tw_cluster_run(sum);
        tw_print(now->name);
        tw_print(": ");
        tw_print_number(all);
        tw_print(" ");
        tw_print_number(tw_measured_cycles);
        tw_print(" ");
        tw_print_number(tw_measured_instructions);
        tw_print(" ");
        tw_print_number(sum_now);
        tw_print("\n");
    }
    return 0;
}
#else
int main(void)
{
    prepare();
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        uint32_t bytes, all;
        now = &tests[i];
        all = macs(now, &bytes);
        if (now->kind == F32 && now[-1].kind != F32) {
            tw_twin_core = 0;
            prepare_floats();
        }
        for (tw_twin_core = 0; tw_twin_core < tw_twin_cores; tw_twin_core++) {
            run();
        }
        printf("%s: %u 0 0 %u\n", now->name, (unsigned)all, (unsigned)checksum(bytes));
    }
    return 0;
}
#endif
