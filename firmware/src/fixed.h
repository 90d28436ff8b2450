/* fixed.h -- the integer primitives of docs/arithmetic.md; rnnedge/fixedpoint.py is their twin.
 *
 * All are branch-free on data, also where the compiler has no saturating instruction.
 */
#ifndef RNNEDGE_FIXED_H
#define RNNEDGE_FIXED_H

#include "rnnedge.h"

#define RNNEDGE_STATIC_ASSERT(condition, name) typedef char rnnedge_##name[(condition) ? 1 : -1]

RNNEDGE_STATIC_ASSERT((-1 >> 1) == -1, right_shift_is_arithmetic);
RNNEDGE_STATIC_ASSERT((int8_t)-1 == ~(int8_t)0, twos_complement);

extern const int16_t rnnedge_sigmoid_table[257];
extern const int16_t rnnedge_tanh_table[257];

// Limit v to low..high, for |v - low| and |high - v| < 2^31.
static inline int32_t rnnedge_clamp(int32_t v, int32_t low, int32_t high) {
    const int32_t above = high - v;
    v += above & (above >> 31);
    const int32_t below = low - v;
    return v + (below & ~(below >> 31));
}

// Limit v to int16, for |v| < 2^31 - 2^15.
static inline int32_t rnnedge_sat16(int32_t v) {
    return rnnedge_clamp(v, INT16_MIN, INT16_MAX);
}

// The top byte of an int16, rounded half up and saturated.
static inline int8_t rnnedge_narrow(int32_t v) {
    return (int8_t)rnnedge_clamp((v + 128) >> 8, INT8_MIN, INT8_MAX);
}

// a * b / 2^15 rounded half up; |a| <= 2^15, |b| < 2^16, so |a * b| + 2^14 < 2^31.
static inline int32_t rnnedge_mul_q15(int32_t a, int32_t b) {
    return (a * b + (1 << 14)) >> 15;
}

// (acc * m) >> s for s = 8..16, exact inside; the converter proves that the result is below 2^30.
// Written with a constant shift, (acc * (m << (16 - s))) >> 16, which 32-bit cores do much faster.
static inline int32_t rnnedge_scale(int32_t acc, int16_t m, uint8_t s) {
    const int32_t scaled = (int32_t)m * (int32_t)((uint32_t)1 << (16 - s)); // < 2^23
    return (int32_t)(((int64_t)acc * scaled) >> 16);
}

// Accumulator to Q3.12, saturated.
static inline int32_t rnnedge_requant(int32_t acc, int16_t m, uint8_t s) {
    return rnnedge_sat16(rnnedge_scale(acc, m, s));
}

// Interpolate a 257-entry Q0.15 table at Q3.12 p (any int16), rounded half up.
static inline int32_t rnnedge_lookup(const int16_t table[257], int32_t p) {
    const int32_t i = (p >> 8) + 128;
    const int32_t f = p & 255;
    const int32_t low = table[i];
    return (low * 256 + (table[i + 1] - low) * f + 128) >> 8;
}

// v * 2^n, n negative: v >> -n. |v * 2^n| < 2^31 by the converter's proof.
static inline int32_t rnnedge_shl(int32_t v, int8_t n) {
    return n >= 0 ? v * (int32_t)((uint32_t)1 << n) : v >> -n;
}

// Exact sum of w[i] * v[i]; every partial sum is below 2^31 by the converter's proof.
static inline int32_t rnnedge_dot8(const int8_t w[], const int8_t v[], uint16_t n) {
    int32_t acc = 0;
    for (uint_fast16_t i = 0; i < n; i++) {
        acc += (int32_t)w[i] * v[i];
    }
    return acc;
}

static inline int32_t rnnedge_dot16(const int8_t w[], const int16_t v[], uint16_t n) {
    int32_t acc = 0;
    for (uint_fast16_t i = 0; i < n; i++) {
        acc += (int32_t)w[i] * v[i];
    }
    return acc;
}

// The same for three rows that lie `stride` apart: they share the loads of v.
static inline void rnnedge_dot8x3(int32_t acc[3], const int8_t w[], uint32_t stride,
                                  const int8_t v[], uint16_t n) {
    const int8_t *w1 = w + stride;
    const int8_t *w2 = w1 + stride;
    int32_t a0 = 0, a1 = 0, a2 = 0;
    for (uint_fast16_t i = 0; i < n; i++) {
        const int32_t x = v[i];
        a0 += w[i] * x;
        a1 += w1[i] * x;
        a2 += w2[i] * x;
    }
    acc[0] = a0;
    acc[1] = a1;
    acc[2] = a2;
}

#endif /* RNNEDGE_FIXED_H */
