/* quad_sums.h -- the sums of quad.h in C, for one group of four rows. */
#ifndef RNNEDGE_QUAD_SUMS_H
#define RNNEDGE_QUAD_SUMS_H

#include <stdint.h>

// Also for size: out of line, the sums would live in memory.
#define INLINE static inline __attribute__((always_inline))

typedef struct {
    uint32_t a, b, c, d;
} sums;

// The lower 24 bits with their sign.
static inline uint32_t low24(uint32_t v) {
    return (uint32_t)((int32_t)(v << 8) >> 8);
}

static inline uint32_t high24(uint32_t v) {
    return (uint32_t)((int32_t)v >> 8);
}

INLINE sums start_narrow(uint32_t start) {
    const uint32_t one = start - (start << 8);
    const sums s = {.a = start, .b = start - (start << 16), .c = one + (one << 16), .d = 0};
    return s;
}

INLINE void add_narrow(sums *s, uint32_t w, uint32_t v) {
    s->a += w * v;
    s->b += (w >> 16) * v;
    s->c += (w >> 8 & 0x00FF00FF) * v;
}

// Adds the biases, too.
INLINE void store_narrow(int32_t acc[4], const uint32_t bias[4], const sums *s) {
    const uint32_t s01 = s->a - (s->b << 16), s0 = low24(s01 - (s->c << 8));
    const uint32_t s1 = high24(s01 - s0), s2 = low24(s->b - ((s->c - s1) >> 8));
    acc[0] = (int32_t)(bias[0] + s0);
    acc[1] = (int32_t)(bias[1] + s1);
    acc[2] = (int32_t)(bias[2] + s2);
    acc[3] = (int32_t)(bias[3] + high24(s->b - s2));
}

INLINE sums start_wide(uint32_t start) {
    const sums s = {.a = start,
                    .b = start - (start << 24),
                    .c = start - (start << 16),
                    .d = start - (start << 8)};
    return s;
}

INLINE void add_wide(sums *s, uint32_t w, uint32_t v) {
    s->a += w * v;
    s->b += (w >> 8) * v;
    s->c += (w >> 16) * v;
    s->d += (w >> 24) * v;
}

INLINE void store_wide(int32_t acc[4], const uint32_t bias[4], const sums *s) {
    acc[0] = (int32_t)(bias[0] + s->a - (s->b << 8));
    acc[1] = (int32_t)(bias[1] + s->b - (s->c << 8));
    acc[2] = (int32_t)(bias[2] + s->c - (s->d << 8));
    acc[3] = (int32_t)(bias[3] + s->d);
}

#endif /* RNNEDGE_QUAD_SUMS_H */
