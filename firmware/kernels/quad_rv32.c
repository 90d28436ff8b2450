/* quad_rv32.c -- sums of quad.h for RV32: two groups at once share the loads of v. */
#include "../src/kernel.h"
#include "quad_sums.h"

#if RNNEDGE_KERNEL == RNNEDGE_KERNEL_QUAD && defined(RNNEDGE_QUAD_RV32)

// Columns between two jumps.
#define ROUND 8
#define ROUND_OF(two)                                                                              \
    two(&s, &s2, w + 0, w2 + 0, at + 0);                                                           \
    two(&s, &s2, w + 1, w2 + 1, at + 1);                                                           \
    two(&s, &s2, w + 2, w2 + 2, at + 2);                                                           \
    two(&s, &s2, w + 3, w2 + 3, at + 3);                                                           \
    two(&s, &s2, w + 4, w2 + 4, at + 4);                                                           \
    two(&s, &s2, w + 5, w2 + 5, at + 5);                                                           \
    two(&s, &s2, w + 6, w2 + 6, at + 6);                                                           \
    two(&s, &s2, w + 7, w2 + 7, at + 7);

// A column of two groups. Left to itself, gcc gathers all products of a round before it adds them.
INLINE void two_narrow(sums *s, sums *s2, const uint32_t *w, const uint32_t *w2,
                       const rnnedge_v *v) {
    uint32_t x, x2, value, t, t2;
    __asm__("lw   %[x], %[w]\n\t"
            "lw   %[value], %[v]\n\t"
            "lw   %[x2], %[w2]\n\t"
            "srli %[t], %[x], 16\n\t"
            "mul  %[t], %[t], %[value]\n\t"
            "srli %[t2], %[x2], 16\n\t"
            "mul  %[t2], %[t2], %[value]\n\t"
            "add  %[b], %[b], %[t]\n\t"
            "srli %[t], %[x], 8\n\t"
            "and  %[t], %[t], %[mask]\n\t"
            "mul  %[t], %[t], %[value]\n\t"
            "add  %[b2], %[b2], %[t2]\n\t"
            "srli %[t2], %[x2], 8\n\t"
            "and  %[t2], %[t2], %[mask]\n\t"
            "mul  %[t2], %[t2], %[value]\n\t"
            "add  %[c], %[c], %[t]\n\t"
            "mul  %[x], %[x], %[value]\n\t"
            "add  %[c2], %[c2], %[t2]\n\t"
            "mul  %[x2], %[x2], %[value]\n\t"
            "add  %[a], %[a], %[x]\n\t"
            "add  %[a2], %[a2], %[x2]"
            : [a] "+r"(s->a), [b] "+r"(s->b), [c] "+r"(s->c), [a2] "+r"(s2->a), [b2] "+r"(s2->b),
              [c2] "+r"(s2->c), [x] "=&r"(x), [x2] "=&r"(x2), [value] "=&r"(value), [t] "=&r"(t),
              [t2] "=&r"(t2)
            : [w] "m"(*w), [w2] "m"(*w2), [v] "m"(*v), [mask] "r"(0x00FF00FF));
}

INLINE void two_wide(sums *s, sums *s2, const uint32_t *w, const uint32_t *w2, const rnnedge_v *v) {
    uint32_t x, x2, value, t, t2;
    __asm__("lw   %[x], %[w]\n\t"
            "lw   %[value], %[v]\n\t"
            "lw   %[x2], %[w2]\n\t"
            "srli %[t], %[x], 24\n\t"
            "mul  %[t], %[t], %[value]\n\t"
            "srli %[t2], %[x2], 24\n\t"
            "mul  %[t2], %[t2], %[value]\n\t"
            "add  %[d], %[d], %[t]\n\t"
            "srli %[t], %[x], 16\n\t"
            "mul  %[t], %[t], %[value]\n\t"
            "add  %[d2], %[d2], %[t2]\n\t"
            "srli %[t2], %[x2], 16\n\t"
            "mul  %[t2], %[t2], %[value]\n\t"
            "add  %[c], %[c], %[t]\n\t"
            "srli %[t], %[x], 8\n\t"
            "mul  %[t], %[t], %[value]\n\t"
            "add  %[c2], %[c2], %[t2]\n\t"
            "srli %[t2], %[x2], 8\n\t"
            "mul  %[t2], %[t2], %[value]\n\t"
            "add  %[b], %[b], %[t]\n\t"
            "mul  %[x], %[x], %[value]\n\t"
            "add  %[b2], %[b2], %[t2]\n\t"
            "mul  %[x2], %[x2], %[value]\n\t"
            "add  %[a], %[a], %[x]\n\t"
            "add  %[a2], %[a2], %[x2]"
            : [a] "+r"(s->a), [b] "+r"(s->b), [c] "+r"(s->c), [d] "+r"(s->d), [a2] "+r"(s2->a),
              [b2] "+r"(s2->b), [c2] "+r"(s2->c), [d2] "+r"(s2->d), [x] "=&r"(x), [x2] "=&r"(x2),
              [value] "=&r"(value), [t] "=&r"(t), [t2] "=&r"(t2)
            : [w] "m"(*w), [w2] "m"(*w2), [v] "m"(*v));
}

const uint32_t *rnnedge_quad_narrow(const uint32_t *w, const rnnedge_v *v, uint32_t columns,
                                    int32_t *acc, uint32_t start, const int32_t *end) {
    const rnnedge_v *const one = v + columns % ROUND, *const last = v + columns;
    for (; end - acc >= 8; acc += 8) {
        const uint32_t *w2 = w + columns + 4;
        const rnnedge_v *at = v;
        sums s = start_narrow(start), s2 = s;
        for (; at != one; at++) {
            two_narrow(&s, &s2, w++, w2++, at);
        }
        for (; at != last; at += ROUND, w += ROUND, w2 += ROUND) {
            ROUND_OF(two_narrow)
        }
        store_narrow(acc, w, &s);
        store_narrow(acc + 4, w2, &s2);
        w = w2 + 4;
    }
    if (acc != end) {
        sums s = start_narrow(start);
        for (const rnnedge_v *at = v; at != last; at++) {
            add_narrow(&s, *w++, (uint32_t)*at);
        }
        store_narrow(acc, w, &s);
        w += 4;
    }
    return w;
}

const uint32_t *rnnedge_quad_wide(const uint32_t *w, const rnnedge_v *v, uint32_t columns,
                                  int32_t *acc, uint32_t start, const int32_t *end) {
    const rnnedge_v *const one = v + columns % ROUND, *const last = v + columns;
    for (; end - acc >= 8; acc += 8) {
        const uint32_t *w2 = w + columns + 4;
        const rnnedge_v *at = v;
        sums s = start_wide(start), s2 = s;
        for (; at != one; at++) {
            two_wide(&s, &s2, w++, w2++, at);
        }
        for (; at != last; at += ROUND, w += ROUND, w2 += ROUND) {
            ROUND_OF(two_wide)
        }
        store_wide(acc, w, &s);
        store_wide(acc + 4, w2, &s2);
        w = w2 + 4;
    }
    if (acc != end) {
        sums s = start_wide(start);
        for (const rnnedge_v *at = v; at != last; at++) {
            add_wide(&s, *w++, (uint32_t)*at);
        }
        store_wide(acc, w, &s);
        w += 4;
    }
    return w;
}

#endif
