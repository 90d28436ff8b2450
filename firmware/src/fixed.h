/* fixed.h -- the integer primitives of docs/arithmetic.md; rnnedge/fixedpoint.py is their twin.
 *
 * All are branch-free on data, also where the compiler has no saturating instruction. A kernel may
 * bring its own form of some, with the same bits: it defines the macro RNNEDGE_OWN_... first.
 */
#ifndef RNNEDGE_FIXED_H
#define RNNEDGE_FIXED_H

#include "../include/rnnedge.h"

#define RNNEDGE_STATIC_ASSERT(condition, name) typedef char rnnedge_##name[(condition) ? 1 : -1]

RNNEDGE_STATIC_ASSERT((-1 >> 1) == -1, right_shift_is_arithmetic);
RNNEDGE_STATIC_ASSERT((int8_t)-1 == ~(int8_t)0, twos_complement);

// Some kernels name the table in assembler only, where link-time optimisation does not see it.
#if defined(__GNUC__)
#define RNNEDGE_USED __attribute__((used))
#else
#define RNNEDGE_USED
#endif

// Entry i + 128: knot i in the upper 16 bits, the difference to the next knot in the lower ones.
extern const int32_t rnnedge_tanh_table[256] RNNEDGE_FLASH;

// The table's upper half without the differences: a kernel that defines RNNEDGE_KNOTS as 1 is for
// size, and takes these instead.
extern const int16_t rnnedge_tanh_knots[129] RNNEDGE_FLASH;

// Limit v to low..high, for |v - low| and |high - v| < 2^31.
static inline int32_t rnnedge_clamp(int32_t v, int32_t low, int32_t high) {
    const int32_t above = high - v;
    v += above & (above >> 31);
    const int32_t below = low - v;
    return v + (below & ~(below >> 31));
}

#ifndef RNNEDGE_OWN_SATURATION
// Limit v to int16, for |v| < 2^31 - 2^15.
static inline int32_t rnnedge_sat16(int32_t v) {
    return rnnedge_clamp(v, INT16_MIN, INT16_MAX);
}

// Limit v to int8, for |v| < 2^31 - 2^7.
static inline int32_t rnnedge_sat8(int32_t v) {
    return rnnedge_clamp(v, INT8_MIN, INT8_MAX);
}
#endif

// The top byte of an int16, rounded half up and saturated.
static inline int32_t rnnedge_narrow(int32_t v) {
    return rnnedge_sat8((v + 128) >> 8);
}

#ifndef RNNEDGE_OWN_LOOKUP
// tanh of q * 2^-20, Q0.15; any int32.
static inline int32_t rnnedge_lookup(int32_t q) {
    const int32_t e = rnnedge_tanh_table[rnnedge_sat8(q >> 16) + 128];
    const int32_t f = (q >> 8) & 255;
    return ((e >> 8) + (e & 0xFFFF) * f + 128) >> 8; // |sum| <= 2^23 + 2^20
}
#endif

// Row multiplier: accumulator to pre-activation; the converter proves that it fits 32 bits.
static inline int32_t rnnedge_preactivation(int32_t acc, uint8_t m, uint8_t y) {
    return (acc >> y) * m;
}

#ifndef RNNEDGE_OWN_RESET
// acc * (1 + t) / 2 for t in Q0.15: (acc >> 1) + ((acc * t) >> 16), the product taken apart so that
// it needs no 64 bits.
static inline int32_t rnnedge_reset_part(int32_t acc, int32_t t) {
    const int32_t high = (acc >> 16) * t;           // |.| <= 2^30
    const int32_t low = ((acc & 0xFFFF) * t) >> 16; // |acc & 0xFFFF| < 2^16, |t| < 2^15
    return (acc >> 1) + high + low;
}
#endif

#ifndef RNNEDGE_OWN_BLEND
// h + (n - h)(1 - t) / 2 rounded half up. Only bits 16..31 count, so it may wrap in 32 bits.
static inline int16_t rnnedge_blend(int32_t h, int32_t n, int32_t t) {
    const uint32_t part = (uint32_t)(32768 - t) * (uint32_t)(n - h);
    const uint32_t sum = ((uint32_t)h << 16) + part + 0x8000u;
    return (int16_t)((int32_t)sum >> 16);
}
#endif

// v * (1 + t) / 2 rounded half up; |v| * 65535 + 2^15 < 2^31.
static inline int32_t rnnedge_gate(int32_t v, int32_t t) {
    return (v * (32768 + t) + INT32_C(0x8000)) >> 16;
}

// A gate (1 + t) / 2 as Q0.15, 0..32767.
static inline int32_t rnnedge_half(int32_t t) {
    return (32768 + t) >> 1;
}

// (acc * m) >> 16, exact inside; the converter proves that the result is below 2^30.
static inline int32_t rnnedge_scale(int32_t acc, int16_t m) {
    return (int32_t)(((int64_t)acc * m) >> 16);
}

#endif /* RNNEDGE_FIXED_H */
