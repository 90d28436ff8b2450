/* arm_dsp.h -- Cortex-M4, M7, M33: pairs of rows in 16 bits, int16 activations two at a time. */
#ifndef RNNEDGE_ARM_DSP_H
#define RNNEDGE_ARM_DSP_H

#include "rnnedge.h"

#include <arm_acle.h>

typedef int16_t rnnedge_v;
#define RNNEDGE_PAD 4 // so that parts of v start at words, and products take 4 columns at once

extern const int32_t rnnedge_tanh_table[256];

#define RNNEDGE_OWN_SATURATION
static inline int32_t rnnedge_sat16(int32_t v) {
    int32_t limited;
    __asm__("ssat %0, #16, %1" : "=r"(limited) : "r"(v));
    return limited;
}

static inline int32_t rnnedge_sat8(int32_t v) {
    int32_t limited;
    __asm__("ssat %0, #8, %1" : "=r"(limited) : "r"(v));
    return limited;
}

#define RNNEDGE_OWN_LOOKUP
// The look-up in the upper half of the result: entry + ((d * f + 128) << 8). The entry's low byte
// does not matter to the upper half.
static inline int32_t rnnedge_lookup_high(int32_t q) {
    int32_t i;
    __asm__("ssat %0, #8, %1, asr #16" : "=r"(i) : "r"(q));
    const int32_t e = (rnnedge_tanh_table + 128)[i];
    const int32_t f = (q >> 8) & 255;
    return e + (int32_t)((uint32_t)__smlabb(e, f, 128) << 8);
}

static inline int32_t rnnedge_lookup(int32_t q) {
    return rnnedge_lookup_high(q) >> 16;
}

#define RNNEDGE_OWN_RESET
static inline int32_t rnnedge_reset_part(int32_t acc, int32_t t) {
    return __smlawb(acc, t, acc >> 1);
}

#define RNNEDGE_OWN_EXPAND

// Two int16 of any alignment.
static inline uint32_t rnnedge_load2(const int16_t values[]) {
    uint32_t two;
    __builtin_memcpy(&two, values, sizeof two);
    return two;
}

// narrow() of two int16: 128 added with saturation, then the upper bytes, sign-extended.
static inline uint32_t rnnedge_narrow2(uint32_t two) {
    uint32_t narrowed;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(narrowed) : "r"(__qadd16((int32_t)two, 0x00800080)));
    return narrowed;
}

static inline uint32_t rnnedge_shift2(uint32_t two, uint8_t shift) {
    const int16_t unit = (int16_t)(1u << shift);
    const uint32_t low = (uint32_t)((int16_t)two * unit);
    const uint32_t high = (uint32_t)((int16_t)(two >> 16) * unit);
    return (low & 0xFFFF) | high << 16;
}

// Narrow n values and shift them left, into v; fill up with zeros. v lies at a word.
static inline void rnnedge_expand(rnnedge_v v[], const int16_t values[], uint16_t n,
                                  uint8_t shift) {
    uint32_t *to = (uint32_t *)(void *)v;
    const int16_t *const end = values + (n & ~1u);
    for (; values != end; values += 2) {
        *to++ = rnnedge_shift2(rnnedge_narrow2(rnnedge_load2(values)), shift);
    }
    if (n & 1) {
        *to++ = rnnedge_shift2(rnnedge_narrow2((uint16_t)*values) & 0xFFFF, shift);
    }
    if (((n + 1u) & 2) != 0) {
        *to = 0;
    }
}

// Copy n values, into v; fill up with zeros.
static inline void rnnedge_expand16(rnnedge_v v[], const int16_t values[], uint16_t n) {
    uint32_t *to = (uint32_t *)(void *)v;
    const int16_t *const end = values + (n & ~1u);
    for (; values != end; values += 2) {
        *to++ = rnnedge_load2(values);
    }
    if (n & 1) {
        *to++ = (uint16_t)*values;
    }
    if (((n + 1u) & 2) != 0) {
        *to = 0;
    }
}

#endif /* RNNEDGE_ARM_DSP_H */
