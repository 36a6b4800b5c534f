/*
 * Xpulpv2, the extension of the cluster's cores, as C functions.
 *
 * Debian's compiler does not know the extension, so each function is one instruction written by `.insn`; a line gives
 * the mnemonic's operation, its encoding (opcode, funct3, funct7 of the R format unless said) and its twin: the same
 * result in plain C. With another compiler, or with TW_TWIN defined, only the twins are compiled, so that every
 * kernel can be tested on any machine; a test runs both on the simulator.
 *
 * Encodings and meanings: RI5CY user manual (version 1 of the extension; CORE-V's version 2 is encoded otherwise).
 * Vectors are 32-bit words; lane 0 is the least significant. Hardware loops exist in assembly only.
 */
#ifndef TW_XPULP_H
#define TW_XPULP_H

#include <stddef.h>
#include <stdint.h>

#if defined(__riscv) && !defined(TW_TWIN)
#define TW_XPULP 1
#else
#define TW_XPULP 0
#endif

/* What must not be left to the compiler's taste: calls cost saved registers, copies cost instruction cache. */
#if defined(__GNUC__)
#define TW_ALWAYS_INLINE static inline __attribute__((always_inline))
#define TW_NEVER_INLINE static __attribute__((noinline, unused))
#else
#define TW_ALWAYS_INLINE static inline
#define TW_NEVER_INLINE static
#endif

/* a / b for a not negative, b at least 1: divisions cost up to 35 cycles, and b is often 1. */
static inline int32_t tw_divide(int32_t a, int32_t b)
{
    return b == 1 ? a : a < b ? 0 : a / b;
}

/* Parts of the twins. */

/* Lane i of a, as the machine sees it: bytes or halves, with or without sign. */
static inline int32_t tw_lane_b(uint32_t a, int i)
{
    return (int32_t)((((a >> (8 * i)) & 0xffu) ^ 0x80u)) - 0x80;
}

static inline int32_t tw_lane_bu(uint32_t a, int i)
{
    return (int32_t)((a >> (8 * i)) & 0xffu);
}

static inline int32_t tw_lane_h(uint32_t a, int i)
{
    return (int32_t)((((a >> (16 * i)) & 0xffffu) ^ 0x8000u)) - 0x8000;
}

static inline int32_t tw_lane_hu(uint32_t a, int i)
{
    return (int32_t)((a >> (16 * i)) & 0xffffu);
}

/* The 32-bit word as a signed number. */
static inline int32_t tw_signed(uint32_t a)
{
#if TW_XPULP
    return (int32_t)a;
#else
    const int32_t s = (int32_t)(a & 0x7fffffffu);
    return (a >> 31) != 0 ? s - 0x7fffffff - 1 : s;
#endif
}

/* a >> n, rounding down; n is 0 .. 31. */
static inline uint32_t tw_shift_right(uint32_t a, uint32_t n)
{
    const uint32_t fill = (a >> 31) != 0 && n != 0 ? ~UINT32_C(0) << (32 - n) : 0;
    return a >> n | fill;
}

/* Index of the highest set bit, 32 for 0. */
static inline uint32_t tw_highest(uint32_t a)
{
    uint32_t i = 31;
    if (a == 0) {
        return 32;
    }
    while ((a >> i) == 0) {
        i--;
    }
    return i;
}

static inline uint32_t tw_lowest(uint32_t a)
{
    return a == 0 ? 32 : tw_highest(a & (0u - a));
}

static inline uint32_t tw_count(uint32_t a)
{
    uint32_t n = 0;
    for (; a != 0; a &= a - 1) {
        n++;
    }
    return n;
}

/* Bits below the sign that repeat it, 0 for 0. */
static inline uint32_t tw_repeats(uint32_t a)
{
    const uint32_t magnitude = (a >> 31) != 0 ? ~a : a;
    return a == 0 ? 0 : magnitude == 0 ? 31 : 30 - tw_highest(magnitude);
}

#if TW_XPULP

/* name(a): rd = f(rs1), rs2 being a fixed register. */
#define TW_UNARY(name, opcode, f3, f7, fixed, twin)                                                                   \
    static inline uint32_t name(uint32_t a)                                                                           \
    {                                                                                                                 \
        uint32_t d;                                                                                                   \
        __asm__(".insn r " #opcode ", " #f3 ", " #f7 ", %0, %1, " #fixed : "=r"(d) : "r"(a));                         \
        return d;                                                                                                     \
    }

/* name(a, b): rd = f(rs1, rs2). */
#define TW_BINARY(name, opcode, f3, f7, twin)                                                                         \
    static inline uint32_t name(uint32_t a, uint32_t b)                                                               \
    {                                                                                                                 \
        uint32_t d;                                                                                                   \
        __asm__(".insn r " #opcode ", " #f3 ", " #f7 ", %0, %1, %2" : "=r"(d) : "r"(a), "r"(b));                      \
        return d;                                                                                                     \
    }

/* name(d, a, b): rd = f(rd, rs1, rs2). */
#define TW_TERNARY(name, opcode, f3, f7, twin)                                                                        \
    static inline uint32_t name(uint32_t d, uint32_t a, uint32_t b)                                                   \
    {                                                                                                                 \
        __asm__(".insn r " #opcode ", " #f3 ", " #f7 ", %0, %1, %2" : "+r"(d) : "r"(a), "r"(b));                      \
        return d;                                                                                                     \
    }

/* name(d, a): rd = f(rd, rs1), rs2 being a fixed register. */
#define TW_INSERT(name, opcode, f3, f7, fixed, twin)                                                                  \
    static inline uint32_t name(uint32_t d, uint32_t a)                                                               \
    {                                                                                                                 \
        __asm__(".insn r " #opcode ", " #f3 ", " #f7 ", %0, %1, " #fixed : "+r"(d) : "r"(a));                         \
        return d;                                                                                                     \
    }

/* Lane-wise: x and y are the lanes of a and b, n the lane's number; results are cut to the lane. */
#define TW_EACH_B(name, f7, lane, twin) TW_BINARY(name, 0x57, 1, f7, 0)
#define TW_EACH_H(name, f7, lane, twin) TW_BINARY(name, 0x57, 0, f7, 0)

#else

#define TW_UNARY(name, opcode, f3, f7, fixed, twin)                                                                   \
    static inline uint32_t name(uint32_t a)                                                                           \
    {                                                                                                                 \
        return (uint32_t)(twin);                                                                                      \
    }
#define TW_BINARY(name, opcode, f3, f7, twin)                                                                         \
    static inline uint32_t name(uint32_t a, uint32_t b)                                                               \
    {                                                                                                                 \
        return (uint32_t)(twin);                                                                                      \
    }
#define TW_TERNARY(name, opcode, f3, f7, twin)                                                                        \
    static inline uint32_t name(uint32_t d, uint32_t a, uint32_t b)                                                   \
    {                                                                                                                 \
        return (uint32_t)(twin);                                                                                      \
    }
#define TW_INSERT(name, opcode, f3, f7, fixed, twin)                                                                  \
    static inline uint32_t name(uint32_t d, uint32_t a)                                                               \
    {                                                                                                                 \
        return (uint32_t)(twin);                                                                                      \
    }
#define TW_EACH(name, bits, lane, twin)                                                                               \
    static inline uint32_t name(uint32_t a, uint32_t b)                                                               \
    {                                                                                                                 \
        const uint32_t mask = UINT32_C(0xffffffff) >> (32 - (bits));                                                  \
        uint32_t d = 0;                                                                                               \
        for (int n = 0; n < 32 / (bits); n++) {                                                                       \
            const int32_t x = lane(a, n), y = lane(b, n);                                                             \
            d |= ((uint32_t)(twin) & mask) << ((bits) * n);                                                           \
        }                                                                                                             \
        return d;                                                                                                     \
    }
#define TW_EACH_B(name, f7, lane, twin) TW_EACH(name, 8, lane, twin)
#define TW_EACH_H(name, f7, lane, twin) TW_EACH(name, 16, lane, twin)

#endif

/* One operand. */

/* p.abs: |a|; INT_MIN stays */
TW_UNARY(tw_abs, 0x33, 0, 0x02, x0, (a >> 31) != 0 ? 0u - a : a)
/* p.ff1, p.fl1: index of the lowest, highest set bit; 32 without any */
TW_UNARY(tw_ff1, 0x33, 0, 0x08, x0, tw_lowest(a))
TW_UNARY(tw_fl1, 0x33, 1, 0x08, x0, tw_highest(a))
/* p.clb: bits below the sign that repeat it; 0 for 0 */
TW_UNARY(tw_clb, 0x33, 2, 0x08, x0, tw_repeats(a))
/* p.cnt: number of set bits */
TW_UNARY(tw_cnt, 0x33, 3, 0x08, x0, tw_count(a))
/* p.exths, p.exthz, p.extbs, p.extbz: the low half or byte, with sign or zeros */
TW_UNARY(tw_exths, 0x33, 4, 0x08, x0, tw_lane_h(a, 0))
TW_UNARY(tw_exthz, 0x33, 5, 0x08, x0, tw_lane_hu(a, 0))
TW_UNARY(tw_extbs, 0x33, 6, 0x08, x0, tw_lane_b(a, 0))
TW_UNARY(tw_extbz, 0x33, 7, 0x08, x0, tw_lane_bu(a, 0))
/* p.clip 8: to -128 .. 127; p.clipu 9: to 0 .. 255 (the width is the number of the register rs2) */
TW_UNARY(tw_clip_s8, 0x33, 1, 0x0A, x8, tw_signed(a) < -128 ? -128 : tw_signed(a) > 127 ? 127 : tw_signed(a))
TW_UNARY(tw_clip_u8, 0x33, 2, 0x0A, x9, tw_signed(a) < 0 ? 0 : tw_signed(a) > 255 ? 255 : tw_signed(a))

/* Two operands. */

/* p.min, p.minu, p.max, p.maxu */
TW_BINARY(tw_min, 0x33, 4, 0x02, tw_signed(a) < tw_signed(b) ? a : b)
TW_BINARY(tw_minu, 0x33, 5, 0x02, a < b ? a : b)
TW_BINARY(tw_max, 0x33, 6, 0x02, tw_signed(a) > tw_signed(b) ? a : b)
TW_BINARY(tw_maxu, 0x33, 7, 0x02, a > b ? a : b)
/* p.ror: a rotated to the right by b & 31 */
TW_BINARY(tw_ror, 0x33, 5, 0x04, a >> (b & 31) | a << ((32 - (b & 31)) & 31))
/* p.clipr: a to -b - 1 .. b; p.clipur: a to 0 .. b; a signed, b not negative */
TW_BINARY(tw_clipr, 0x33, 5, 0x0A,
          tw_signed(a) > tw_signed(b) ? b : tw_signed(a) < tw_signed(~b) ? ~b : a)
TW_BINARY(tw_clipur, 0x33, 6, 0x0A, tw_signed(a) > tw_signed(b) ? b : tw_signed(a) < 0 ? 0 : a)
/* p.muls, p.mulu, p.mulhhs, p.mulhhu: products of the low (high) halves */
TW_BINARY(tw_muls, 0x5b, 0, 0x40, tw_lane_h(a, 0) * tw_lane_h(b, 0))
TW_BINARY(tw_mulu, 0x5b, 0, 0x00, (uint32_t)tw_lane_hu(a, 0) * (uint32_t)tw_lane_hu(b, 0))
TW_BINARY(tw_mulhhs, 0x5b, 0, 0x60, tw_lane_h(a, 1) * tw_lane_h(b, 1))
TW_BINARY(tw_mulhhu, 0x5b, 0, 0x20, (uint32_t)tw_lane_hu(a, 1) * (uint32_t)tw_lane_hu(b, 1))

/* An accumulator d and two operands. */

/* p.mac, p.msu: d + a * b, d - a * b, modulo 2^32 */
TW_TERNARY(tw_mac, 0x33, 0, 0x21, d + a * b)
TW_TERNARY(tw_msu, 0x33, 1, 0x21, d - a * b)
/* p.macs, p.macu, p.machhs, p.machhu: d + the product of the low (high) halves */
TW_TERNARY(tw_macs, 0x5b, 1, 0x40, d + (uint32_t)(tw_lane_h(a, 0) * tw_lane_h(b, 0)))
TW_TERNARY(tw_macu, 0x5b, 1, 0x00, d + (uint32_t)tw_lane_hu(a, 0) * (uint32_t)tw_lane_hu(b, 0))
TW_TERNARY(tw_machhs, 0x5b, 1, 0x60, d + (uint32_t)(tw_lane_h(a, 1) * tw_lane_h(b, 1)))
TW_TERNARY(tw_machhu, 0x5b, 1, 0x20, d + (uint32_t)tw_lane_hu(a, 1) * (uint32_t)tw_lane_hu(b, 1))
/* p.addNr, p.adduNr: (d + a) >> (b & 31), arithmetic and logical; RN: rounded, 2^(b - 1) being added first */
TW_TERNARY(tw_add_shift, 0x5b, 2, 0x20, tw_shift_right(d + a, b & 31))
TW_TERNARY(tw_addu_shift, 0x5b, 2, 0x60, (d + a) >> (b & 31))
TW_TERNARY(tw_add_round, 0x5b, 6, 0x20, tw_shift_right(d + a + ((UINT32_C(1) << (b & 31)) >> 1), b & 31))
TW_TERNARY(tw_addu_round, 0x5b, 6, 0x60, (d + a + ((UINT32_C(1) << (b & 31)) >> 1)) >> (b & 31))
/* p.subNr, p.subRNr: the same of d - a */
TW_TERNARY(tw_sub_shift, 0x5b, 3, 0x20, tw_shift_right(d - a, b & 31))
TW_TERNARY(tw_sub_round, 0x5b, 7, 0x20, tw_shift_right(d - a + ((UINT32_C(1) << (b & 31)) >> 1), b & 31))

/* Four bytes. */

/* pv.add.b, pv.sub.b */
TW_EACH_B(tw_add_b, 0x00, tw_lane_b, x + y)
TW_EACH_B(tw_sub_b, 0x04, tw_lane_b, x - y)
/* pv.avg.b, pv.avgu.b: the sum, cut to the lane, halved */
TW_EACH_B(tw_avg_b, 0x08, tw_lane_b, tw_shift_right((uint32_t)tw_lane_b((uint32_t)(x + y), 0), 1))
TW_EACH_B(tw_avgu_b, 0x0C, tw_lane_bu, ((uint32_t)(x + y) & 0xffu) >> 1)
/* pv.min.b, pv.minu.b, pv.max.b, pv.maxu.b */
TW_EACH_B(tw_min_b, 0x10, tw_lane_b, x < y ? x : y)
TW_EACH_B(tw_minu_b, 0x14, tw_lane_bu, x < y ? x : y)
TW_EACH_B(tw_max_b, 0x18, tw_lane_b, x > y ? x : y)
TW_EACH_B(tw_maxu_b, 0x1C, tw_lane_bu, x > y ? x : y)
/* pv.srl.b, pv.sra.b, pv.sll.b: by b's lane & 7 */
TW_EACH_B(tw_srl_b, 0x20, tw_lane_bu, x >> (y & 7))
TW_EACH_B(tw_sra_b, 0x24, tw_lane_b, tw_shift_right((uint32_t)x, (uint32_t)y & 7u))
TW_EACH_B(tw_sll_b, 0x28, tw_lane_bu, x << (y & 7))
/* pv.cmpeq.b, pv.cmpgt.b, pv.cmpgtu.b: all ones where it holds */
TW_EACH_B(tw_cmpeq_b, 0x02, tw_lane_b, x == y ? 0xff : 0)
TW_EACH_B(tw_cmpgt_b, 0x0A, tw_lane_b, x > y ? 0xff : 0)
TW_EACH_B(tw_cmpgtu_b, 0x1A, tw_lane_bu, x > y ? 0xff : 0)
/* pv.abs.b: -128 stays */
TW_UNARY(tw_abs_b, 0x57, 1, 0x38, x0,
         ((uint32_t)(tw_lane_b(a, 0) < 0 ? -tw_lane_b(a, 0) : tw_lane_b(a, 0)) & 0xffu)
             | ((uint32_t)(tw_lane_b(a, 1) < 0 ? -tw_lane_b(a, 1) : tw_lane_b(a, 1)) & 0xffu) << 8
             | ((uint32_t)(tw_lane_b(a, 2) < 0 ? -tw_lane_b(a, 2) : tw_lane_b(a, 2)) & 0xffu) << 16
             | ((uint32_t)(tw_lane_b(a, 3) < 0 ? -tw_lane_b(a, 3) : tw_lane_b(a, 3)) & 0xffu) << 24)

/* Two halves. */

/* pv.add.h, pv.sub.h, pv.min.h, pv.max.h, pv.maxu.h, pv.sra.h */
TW_EACH_H(tw_add_h, 0x00, tw_lane_h, x + y)
TW_EACH_H(tw_sub_h, 0x04, tw_lane_h, x - y)
TW_EACH_H(tw_min_h, 0x10, tw_lane_h, x < y ? x : y)
TW_EACH_H(tw_max_h, 0x18, tw_lane_h, x > y ? x : y)
TW_EACH_H(tw_maxu_h, 0x1C, tw_lane_hu, x > y ? x : y)
TW_EACH_H(tw_srl_h, 0x20, tw_lane_hu, x >> (y & 15))
TW_EACH_H(tw_sra_h, 0x24, tw_lane_h, tw_shift_right((uint32_t)x, (uint32_t)y & 15u))

/* Dot products. */

#define TW_DOT_B(la, lb, a, b)                                                                                        \
    (uint32_t)(la(a, 0) * lb(b, 0) + la(a, 1) * lb(b, 1) + la(a, 2) * lb(b, 2) + la(a, 3) * lb(b, 3))
#define TW_DOT_H(la, lb, a, b)                                                                                        \
    ((uint32_t)la(a, 0) * (uint32_t)lb(b, 0) + (uint32_t)la(a, 1) * (uint32_t)lb(b, 1))

/* pv.dotup.b, pv.dotusp.b (a unsigned, b signed), pv.dotsp.b */
TW_BINARY(tw_dotup_b, 0x57, 1, 0x40, TW_DOT_B(tw_lane_bu, tw_lane_bu, a, b))
TW_BINARY(tw_dotusp_b, 0x57, 1, 0x44, TW_DOT_B(tw_lane_bu, tw_lane_b, a, b))
TW_BINARY(tw_dotsp_b, 0x57, 1, 0x4C, TW_DOT_B(tw_lane_b, tw_lane_b, a, b))
/* pv.sdotup.b, pv.sdotusp.b, pv.sdotsp.b: added to d */
TW_TERNARY(tw_sdotup_b, 0x57, 1, 0x50, d + TW_DOT_B(tw_lane_bu, tw_lane_bu, a, b))
TW_TERNARY(tw_sdotusp_b, 0x57, 1, 0x54, d + TW_DOT_B(tw_lane_bu, tw_lane_b, a, b))
TW_TERNARY(tw_sdotsp_b, 0x57, 1, 0x5C, d + TW_DOT_B(tw_lane_b, tw_lane_b, a, b))
/* the same of halves */
TW_BINARY(tw_dotsp_h, 0x57, 0, 0x4C, TW_DOT_H(tw_lane_h, tw_lane_h, a, b))
TW_TERNARY(tw_sdotup_h, 0x57, 0, 0x50, d + TW_DOT_H(tw_lane_hu, tw_lane_hu, a, b))
TW_TERNARY(tw_sdotusp_h, 0x57, 0, 0x54, d + TW_DOT_H(tw_lane_hu, tw_lane_h, a, b))
TW_TERNARY(tw_sdotsp_h, 0x57, 0, 0x5C, d + TW_DOT_H(tw_lane_h, tw_lane_h, a, b))

/* Lanes. */

/* pv.extract.b, pv.extractu.b: lane i; funct7 has its low bit, rs2 the others */
TW_UNARY(tw_extract_b0, 0x57, 7, 0x3C, x0, tw_lane_b(a, 0))
TW_UNARY(tw_extract_b1, 0x57, 7, 0x3D, x0, tw_lane_b(a, 1))
TW_UNARY(tw_extract_b2, 0x57, 7, 0x3C, x1, tw_lane_b(a, 2))
TW_UNARY(tw_extract_b3, 0x57, 7, 0x3D, x1, tw_lane_b(a, 3))
TW_UNARY(tw_extractu_b0, 0x57, 7, 0x48, x0, tw_lane_bu(a, 0))
TW_UNARY(tw_extractu_b1, 0x57, 7, 0x49, x0, tw_lane_bu(a, 1))
TW_UNARY(tw_extractu_b2, 0x57, 7, 0x48, x1, tw_lane_bu(a, 2))
TW_UNARY(tw_extractu_b3, 0x57, 7, 0x49, x1, tw_lane_bu(a, 3))
/* pv.insert.b: lane i of d becomes the low byte of a */
TW_INSERT(tw_insert_b0, 0x57, 7, 0x58, x0, (d & 0xffffff00u) | (a & 0xffu))
TW_INSERT(tw_insert_b1, 0x57, 7, 0x59, x0, (d & 0xffff00ffu) | (a & 0xffu) << 8)
TW_INSERT(tw_insert_b2, 0x57, 7, 0x58, x1, (d & 0xff00ffffu) | (a & 0xffu) << 16)
TW_INSERT(tw_insert_b3, 0x57, 7, 0x59, x1, (d & 0x00ffffffu) | a << 24)
/* pv.insert.h */
TW_INSERT(tw_insert_h0, 0x57, 6, 0x58, x0, (d & 0xffff0000u) | (a & 0xffffu))
TW_INSERT(tw_insert_h1, 0x57, 6, 0x59, x0, (d & 0x0000ffffu) | a << 16)
/* pv.shuffle.b: lane k is lane (b's lane k & 3) of a */
TW_BINARY(tw_shuffle_b, 0x57, 1, 0x60,
          (a >> (8 * (b & 3)) & 0xffu) | (a >> (8 * (b >> 8 & 3)) & 0xffu) << 8
              | (a >> (8 * (b >> 16 & 3)) & 0xffu) << 16 | (a >> (8 * (b >> 24 & 3)) & 0xffu) << 24)
/* pv.shuffle2.b: the same, of a where bit 2 of b's lane is set, else of d */
#define TW_PICK(d, a, b, k)                                                                                           \
    ((((b) >> (8 * (k)) & 4u) != 0 ? (a) : (d)) >> (8 * ((b) >> (8 * (k)) & 3u)) & 0xffu) << (8 * (k))
TW_TERNARY(tw_shuffle2_b, 0x57, 1, 0x64,
           TW_PICK(d, a, b, 0) | TW_PICK(d, a, b, 1) | TW_PICK(d, a, b, 2) | TW_PICK(d, a, b, 3))
/* pv.shuffle2.h: bit 1 of b's lane chooses a, bit 0 the lane */
TW_TERNARY(tw_shuffle2_h, 0x57, 0, 0x64,
           (((b & 2u) != 0 ? a : d) >> (16 * (b & 1u)) & 0xffffu)
               | (((b >> 16 & 2u) != 0 ? a : d) >> (16 * (b >> 16 & 1u)) & 0xffffu) << 16)
/* pv.pack.h: a's low half above b's */
TW_BINARY(tw_pack_h, 0x57, 0, 0x68, a << 16 | (b & 0xffffu))
/* pv.packlo.b, pv.packhi.b: the low (high) half of d becomes a's low byte above b's */
TW_TERNARY(tw_packlo_b, 0x57, 1, 0x70, (d & 0xffff0000u) | (a & 0xffu) << 8 | (b & 0xffu))
TW_TERNARY(tw_packhi_b, 0x57, 1, 0x6C, (d & 0x0000ffffu) | (a & 0xffu) << 24 | (b & 0xffu) << 16)

/* The four bytes at p, which may be unaligned (the core splits the access), and the same stored. */
static inline uint32_t tw_load_word(const void *p)
{
#if TW_XPULP
    uint32_t d;
    __asm__("lw %0, %1" : "=r"(d) : "m"(*(const uint32_t *)p));
    return d;
#else
    const uint8_t *b = (const uint8_t *)p;
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
#endif
}

static inline void tw_store_word(void *p, uint32_t d)
{
#if TW_XPULP
    __asm__("sw %1, %0" : "=m"(*(uint32_t *)p) : "r"(d));
#else
    uint8_t *b = (uint8_t *)p;
    b[0] = (uint8_t)d;
    b[1] = (uint8_t)(d >> 8);
    b[2] = (uint8_t)(d >> 16);
    b[3] = (uint8_t)(d >> 24);
#endif
}

/* Four by four bytes: rows become columns. Row i is m[i]. */
TW_ALWAYS_INLINE void tw_transpose_b(uint32_t m[4])
{
    const uint32_t even = 0x06020400u, odd = 0x07030501u;
    const uint32_t p = tw_shuffle2_b(m[0], m[1], even), q = tw_shuffle2_b(m[0], m[1], odd);
    const uint32_t r = tw_shuffle2_b(m[2], m[3], even), s = tw_shuffle2_b(m[2], m[3], odd);
    m[0] = tw_shuffle2_h(p, r, 0x00020000u);
    m[1] = tw_shuffle2_h(q, s, 0x00020000u);
    m[2] = tw_shuffle2_h(p, r, 0x00030001u);
    m[3] = tw_shuffle2_h(q, s, 0x00030001u);
}

#endif
