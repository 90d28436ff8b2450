/* quad.h -- Cortex-M0, M0+, M3, RV32: four rows side by side, multiplied as one word.
 *
 * Cores that multiply 32 by 32 bits and have nothing for bytes take four rows at once. The weights
 * of a column lie in one word, offset by 128,
 *
 *     W = u0 + 2^8 u1 + 2^16 u2 + 2^24 u3,   u = w + 128
 *
 * and instead of four sums of u * v, a product adds up words that one instruction makes of W:
 * W * v itself, (W >> 16) * v and so on, modulo 2^32. Each holds several of the row sums s at
 * once. Three of them tell four sums below 2^23 apart, which is what narrow layers have:
 *
 *     from W                     a = s0 + 2^8 s1 + 2^16 s2 + 2^24 s3
 *     from W >> 16               b = s2 + 2^8 s3
 *     from (W >> 8) & 0xFF00FF   c = s1 + 2^16 s3
 *
 * a - 2^16 b is s0 + 2^8 s1, so less 2^8 c its lower 24 bits are s0; the rest is 2^8 s1; then
 * c - s1 is 2^16 s3 without its top bits, which gives the lower 24 bits of b - 2^8 s3, that is s2,
 * and the rest of b is 2^8 s3. Arm has REV16 for c: it makes c + 2^8 (s0 + 2^16 s2).
 *
 * Wide layers add up W, W >> 8, W >> 16 and W >> 24: each is a row's sum and 2^8 times the next.
 *
 * The sums start where they lose the 128 of u: at -128 sum(v) in each place. Groups of four rows
 * follow each other, each the words of its columns, then its four biases.
 */
#ifndef RNNEDGE_QUAD_H
#define RNNEDGE_QUAD_H

#include "../include/rnnedge.h"

typedef int32_t rnnedge_v;
#define RNNEDGE_PAD 1

// v has the start of a's sum for each part in front of it: -128 sum(v) in each of four places.
#define RNNEDGE_QUAD_STARTS 3 // H, X, HX

#define RNNEDGE_OWN_EXPAND
#define RNNEDGE_OWN_EXPAND_HX

void rnnedge_expand(rnnedge_v v[], const int16_t values[], uint16_t n, uint8_t shift);
rnnedge_v *rnnedge_expand_hx(const rnnedge_cell *cell, const int16_t h[], const int16_t x[],
                             int32_t scratch[], uint8_t gates);

// The accumulators acc..end of groups of four rows over `columns` >= 1 values of v; returns what
// follows their weights. One pair of them for each core.
const uint32_t *rnnedge_quad_narrow(const uint32_t *w, const rnnedge_v *v, uint32_t columns,
                                    int32_t *acc, uint32_t start, const int32_t *end);
const uint32_t *rnnedge_quad_wide(const uint32_t *w, const rnnedge_v *v, uint32_t columns,
                                  int32_t *acc, uint32_t start, const int32_t *end);

extern const int32_t rnnedge_tanh_table[256];

#if defined(__thumb2__)

#define RNNEDGE_QUAD_V7M

#include "arm_saturation.h"

// The entry for q.
static inline uint32_t rnnedge_entry(int32_t q) {
    uint32_t e;
    __asm__("ssat %0, #8, %1, asr #16\n\t"
            "ldr %0, [%2, %0, lsl #2]"
            : "=&r"(e)
            : "r"(q), "r"(rnnedge_tanh_table + 128));
    return e;
}

#define RNNEDGE_OWN_RESET
// t in the upper half, so that the upper word of the product is the result.
static inline int32_t rnnedge_reset_part(int32_t acc, int32_t t) {
    return (acc >> 1) + (int32_t)(((int64_t)acc * (t * 65536)) >> 32);
}

#define RNNEDGE_OWN_BLEND
// (h + n) / 2 + t (h - n) / 2
static inline int16_t rnnedge_blend(int32_t h, int32_t n, int32_t t) {
    const uint32_t twice = ((uint32_t)(h + n) << 15) + 0x8000;
    return (int16_t)((int32_t)(twice - (uint32_t)t * (uint32_t)(n - h)) >> 16);
}

#else

#if defined(__thumb__) && __ARM_ARCH >= 6
#define RNNEDGE_QUAD_V6M
#define RNNEDGE_OWN_GRU
#define RNNEDGE_OWN_LSTM
#define RNNEDGE_OWN_RNN
#elif defined(__riscv_xlen) && __riscv_xlen == 32 && !defined(__OPTIMIZE_SIZE__)
#define RNNEDGE_QUAD_RV32
#else
#define RNNEDGE_QUAD_C
#endif

// All ones for v < 0, in a way that no compiler makes a branch of.
static inline int32_t rnnedge_sign(int32_t v) {
    v >>= 31;
    __asm__("" : "+r"(v));
    return v;
}

#define RNNEDGE_OWN_SATURATION
static inline int32_t rnnedge_sat16(int32_t v) {
    v -= INT16_MAX;
    v = (v & rnnedge_sign(v)) + 65535;
    return (v & ~rnnedge_sign(v)) + INT16_MIN;
}

static inline int32_t rnnedge_sat8(int32_t v) {
    v -= INT8_MAX;
    v = (v & rnnedge_sign(v)) + 255;
    return (v & ~rnnedge_sign(v)) + INT8_MIN;
}

// The entry for q: its index limited to 255 from above, then to -1 + 1 from below.
static inline uint32_t rnnedge_entry(int32_t q) {
    int32_t i = (q >> 16) - 127;
    i = (i & rnnedge_sign(i)) + 254;
    i |= rnnedge_sign(i);
    return (uint32_t)*(const int32_t *)((uintptr_t)(rnnedge_tanh_table + 1) + 4 * (uintptr_t)i);
}

#endif

#define RNNEDGE_OWN_LOOKUP
// All in the upper half: what the entry's lower half adds there never carries into it.
static inline int32_t rnnedge_lookup(int32_t q) {
    const uint32_t e = rnnedge_entry(q);
    const uint32_t part = (e & 2047) * ((uint32_t)q & 0xFF00);
    return (int32_t)(e + part + 0x8000) >> 16;
}

#endif /* RNNEDGE_QUAD_H */
