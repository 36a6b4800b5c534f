/*
 * Every function of tw_xpulp.h on extreme and random operands. Compiled twice for the chip, with instructions and, under
 * TW_TWIN, with their twins, and once more as the program that compares the two.
 */
#include <stdint.h>

#define EVERY(U, B, T, I) \
    U(abs) U(ff1) U(fl1) U(clb) U(cnt) U(exths) U(exthz) U(extbs) U(extbz) U(clip_s8) U(clip_u8) B(min) B(minu) \
    B(max) B(maxu) B(ror) B(clipr) B(clipur) B(muls) B(mulu) B(mulhhs) B(mulhhu) T(mac) T(msu) T(macs) T(macu) \
    T(machhs) T(machhu) T(add_shift) T(addu_shift) T(add_round) T(addu_round) T(sub_shift) T(sub_round) B(add_b) \
    B(sub_b) B(avg_b) B(avgu_b) B(min_b) B(minu_b) B(max_b) B(maxu_b) B(srl_b) B(sra_b) B(sll_b) B(cmpeq_b) \
    B(cmpgt_b) B(cmpgtu_b) U(abs_b) B(add_h) B(sub_h) B(min_h) B(max_h) B(maxu_h) B(srl_h) B(sra_h) B(dotup_b) \
    B(dotusp_b) B(dotsp_b) T(sdotup_b) T(sdotusp_b) T(sdotsp_b) B(dotsp_h) T(sdotup_h) T(sdotusp_h) T(sdotsp_h) \
    U(extract_b0) U(extract_b1) U(extract_b2) U(extract_b3) U(extractu_b0) U(extractu_b1) U(extractu_b2) \
    U(extractu_b3) I(insert_b0) I(insert_b1) I(insert_b2) I(insert_b3) I(insert_h0) I(insert_h1) B(shuffle_b) \
    T(shuffle2_b) T(shuffle2_h) B(pack_h) T(packlo_b) T(packhi_b)

typedef uint32_t function(uint32_t d, uint32_t a, uint32_t b);

struct entry {
    const char *name;
    function *f;
};

#ifdef TABLE

#include "tw_xpulp.h"

#define U(name) static uint32_t f_##name(uint32_t d, uint32_t a, uint32_t b) { (void)d; (void)b; return tw_##name(a); }
#define B(name) static uint32_t f_##name(uint32_t d, uint32_t a, uint32_t b) { (void)d; return tw_##name(a, b); }
#define T(name) static uint32_t f_##name(uint32_t d, uint32_t a, uint32_t b) { return tw_##name(d, a, b); }
#define I(name) static uint32_t f_##name(uint32_t d, uint32_t a, uint32_t b) { (void)b; return tw_##name(d, a); }
EVERY(U, B, T, I)
#define ENTRY(name) {#name, f_##name},
const struct entry TABLE[] = {EVERY(ENTRY, ENTRY, ENTRY, ENTRY){"", 0}};

#else

#include "tw_cluster.h"
#include "../runtime/tw_runtime.h"

extern const struct entry instructions[], twins[];

static const uint32_t extremes[] = {
    0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0x80000001, 0xffffffff,
    0xfffffffe, 0x80808080, 0x7f7f7f7f, 0x80007fff, 0x01020304, 0xff00ff00, 0x06020400, 0x07030501, 31, 32, 33,
};
#define EXTREMES (sizeof extremes / sizeof extremes[0])

static volatile uint32_t tried, wrong, first;

static uint32_t random_word(void)
{
    static uint32_t state = 2463534242u;
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

/* p.clipr and p.clipur are defined for bounds that are not negative. */
static int has_bound(const char *name)
{
    return name[0] == 'c' && name[1] == 'l' && name[2] == 'i' && name[3] == 'p';
}

static void check(uint32_t i, uint32_t d, uint32_t a, uint32_t b)
{
    b = has_bound(instructions[i].name) ? b & 0x7fffffffu : b;
    tried++;
    if (instructions[i].f(d, a, b) != twins[i].f(d, a, b)) {
        first = wrong++ == 0 ? i : first;
    }
}

static void work(void)
{
    if (tw_core_id() != 0) {
        return;
    }
    for (uint32_t i = 0; instructions[i].f != 0; i++) {
        for (uint32_t a = 0; a < EXTREMES; a++) {
            for (uint32_t b = 0; b < EXTREMES; b++) {
                check(i, extremes[(a + 3 * b) % EXTREMES], extremes[a], extremes[b]);
            }
        }
        for (int k = 0; k < 300; k++) {
            const uint32_t d = random_word(), a = random_word();
            check(i, d, a, random_word());
        }
    }
}

int main(void)
{
    tw_cluster_start();
    tw_cluster_run(work);
    if (wrong != 0) {
        tw_print("first wrong: ");
        tw_print(instructions[first].name);
        tw_print("\n");
    }
    tw_print("tried: ");
    tw_print_number(tried);
    tw_print(" wrong: ");
    tw_print_number(wrong);
    tw_print("\n");
    return wrong != 0;
}

#endif
