/* arm_mve_steps.c -- steps of all cells for Helium, eight units at once.
 *
 * The arithmetic is that of gru.c, lstm.c and rnn.c. Units of 32-bit vectors are 0, 2, 4, 6 and
 * 1, 3, 5, 7 of eight, which narrow to one vector of 16 bits. Scratch holds
 *
 *     16 zeros  x  (16-bit inputs: low bytes of x)  h  (reset before: r * h)  sums over x, over h
 *
 * int8 vectors padded to 16, then int32 sums of one block of units, each 8 units gate after gate.
 */
#include "../src/kernel.h"

#if RNNEDGE_KERNEL == RNNEDGE_KERNEL_MVE

#include <arm_mve.h>
#include <stddef.h>

// Functions of a few instructions: as calls they would pass all registers through memory.
#define INLINE static inline __attribute__((always_inline))

typedef rnnedge_mve_plan plan;

/// Products //////////////////////////////////////////////////////////////////////////////////////

// Narrow n >= 1 values into v, whose columns up to a multiple of 16 become 0 behind them.
static inline void narrow(int8_t v[], const int16_t values[], uint32_t n) {
    vst1q_s8(v + ((n - 1) & ~15u), vdupq_n_s8(0));
    __asm__ volatile("dlstp.16 lr, %[n]\n"
                     "1:\n"
                     "vldrh.u16 q0, [%[values]], #16\n"
                     "vqrshrnb.s16 q0, q0, #8\n"
                     "vstrb.16 q0, [%[v]], #8\n"
                     "letp lr, 1b\n"
                     : [v] "+r"(v), [values] "+r"(values)
                     : [n] "r"(n)
                     : "q0", "lr", "cc", "memory");
}

// Take n >= 1 values apart: high = value >> 8, low = (value & 255) - 128.
__attribute__((noinline)) static void split(int8_t high[], int8_t low[], const int16_t values[],
                                            uint32_t n) {
    vst1q_s8(high + ((n - 1) & ~15u), vdupq_n_s8(0));
    vst1q_s8(low + ((n - 1) & ~15u), vdupq_n_s8(0));
    for (uint32_t i = 0; i < n; i += 8) {
        const mve_pred16_t p = vctp16q(n - i);
        const int16x8_t value = vldrhq_z_s16(values + i, p);
        vstrbq_p_s16(high + i, vshrq_n_s16(value, 8), p);
        vstrbq_p_s16(low + i, vaddq_n_s16(value, 128), p);
    }
}

// v in scratch, `parts` of h, and the places of the sums, `gates` gates at once.
static inline void prepare(plan *p, const rnnedge_cell *cell, const int16_t h[], const int16_t x[],
                           int32_t scratch[], uint32_t parts, uint32_t gates) {
    const uint32_t I = cell->inputs, H = cell->units;
    const uint32_t columns = rnnedge_mve_min(I, RNNEDGE_MVE_CHUNK);
    int8_t *v = (int8_t *)scratch;
    vst1q_s8(v, vdupq_n_s8(0));
    v += 16;
    p->at.weights = cell->weights;
    p->at.bias = cell->bias;
    p->two_rows = 2 * columns;
    p->x_low = v;
    p->x_high = v + columns - 16;
    p->code = 4 * rnnedge_mve_min(H & ~15u, RNNEDGE_MVE_KEPT) - 1;
    p->plain = 0;
    int8_t *vh = v + rnnedge_mve_up(I, RNNEDGE_MVE_CHUNK);
    if (cell->input_bits == 8) {
        narrow(v, x, I);
        p->plain = ((H & 15) | cell->h_shift) == 0 && H <= RNNEDGE_MVE_KEPT && I == columns;
    } else {
        split(v, vh, x, I);
        vh += rnnedge_mve_up(I, RNNEDGE_MVE_CHUNK);
    }
    p->v = vh;
    narrow(vh, h, H);
    p->x = (int32_t *)(void *)(vh + parts * rnnedge_mve_up(H, RNNEDGE_MVE_CHUNK));
    p->h = p->x + gates * rnnedge_mve_up(rnnedge_mve_min(H, RNNEDGE_BLOCK), 8);
}

// Place the sums of the `rest` units behind the last whole eight of a block as those of eight.
static void spread(int32_t sum[], uint32_t gates, uint32_t rest) {
    for (uint32_t gate = gates; gate-- > 0;) {
        const int32_t *from = sum + gate * rest;
        const int32x4_t low = vld1q_s32(from), high = vld1q_s32(from + 4);
        vst1q_s32(sum + 8 * gate, low);
        vst1q_s32(sum + 8 * gate + 4, high);
    }
}

// The sums of gates * units rows.
static inline void multiply(plan *p, const rnnedge_cell *cell, uint8_t part, uint8_t gates,
                            uint32_t units) {
    p->groups = (gates * units + 7) / 8;
    if (p->plain) {
        rnnedge_mve_sums(p);
        return;
    }
    cell->product(&p->at, cell, NULL, part, gates, (uint16_t)units, NULL);
    const uint32_t rest = units % 8;
    if (rest != 0) {
        spread(p->x + gates * (units - rest), gates, rest);
        spread(p->h + gates * (units - rest), gates, rest);
    }
}

/// Activations and updates ///////////////////////////////////////////////////////////////////////
//
// Assembler, since what the compilers make of the intrinsics differs, and gcc 12 writes addresses
// of VLD2 that do not exist. It uses q0 to q3 and the vector predicate, which no clobber list can
// name: an intrinsic with a predicate must not be called between these functions.

// Where the activations read, and their constants.
typedef struct {
    const int32_t *h, *x;     // sums of the next gate
    const uint8_t *m;         // its multipliers: units 0, 2, 4, 6, 1, 3, 5, 7
    const uint16_t *d, *knot; // the halves of the table's entries
    int32_t x_factor;         // of the sums over x
    int32_t top;              // -32768
    uint16x8_t fraction;      // low bytes 1; high bytes change
} reader;

INLINE reader start(const rnnedge_cell *cell) {
    const uint16_t *table = (const uint16_t *)(const void *)rnnedge_tanh_table;
    const int32_t x_factor = cell->input_bits == 8 ? (int32_t)(1u << cell->x_shift) : 0;
    return (reader){.m = cell->multiplier,
                    .d = table,
                    .knot = table + 1,
                    .x_factor = x_factor,
                    .top = INT16_MIN,
                    .fraction = vdupq_n_u16(1)};
}

// clang-format off

// q0, q1: accumulators of even and odd units
#define SUMS                                  \
    "vld20.32 {q0, q1}, [%[h]]            \n" \
    "vld21.32 {q0, q1}, [%[h]]!           \n" \
    "vld20.32 {q2, q3}, [%[x]]            \n" \
    "vld21.32 {q2, q3}, [%[x]]!           \n" \
    "vmla.s32 q0, q2, %[x_factor]         \n" \
    "vmla.s32 q1, q3, %[x_factor]         \n"

// q0, q1: preactivation()
#define SCALE                                 \
    "vldrb.u32 q2, [%[m]], #4             \n" \
    "vldrb.u32 q3, [%[m]], #4             \n" \
    "vmul.i32 q0, q0, q2                  \n" \
    "vmul.i32 q1, q1, q3                  \n"

// q0: bits 8..23 of both, saturated: i and f of lookup(). GNU as 2.40 writes VQRSHRN for VQSHRN.
#define INDEX                                 \
    ".inst.w 0xee980f40                   \n" /* vqshrnb.s32 q0, q0, #8 */ \
    ".inst.w 0xee981f42                   \n" /* vqshrnt.s32 q0, q1, #8 */

// lookup(): for e = knot * 2^16 + d, (e + d * 256 f + 2^15) >> 16 is
// knot + ((d * (256 f + 1) + 2^15) >> 16)
#define LOOKUP                                \
    "vadd.i16 q1, q0, %[top]              \n" \
    "vshllt.u8 q1, q1, #1                 \n" \
    "vldrh.u16 q2, [%[d], q1, uxtw #1]    \n" \
    "vldrh.u16 q3, [%[knot], q1, uxtw #1] \n" \
    "vsli.16 %q[fraction], q0, #8         \n" \
    "vrmulh.u16 q2, q2, %q[fraction]      \n" \
    "vadd.i16 %q[t], q2, q3               \n"

#define READS [h] "+r"(r->h), [x] "+r"(r->x), [m] "+l"(r->m), [fraction] "+w"(r->fraction)
#define TABLE [d] "r"(r->d), [knot] "r"(r->knot), [top] "r"(r->top)
#define VECTORS "q0", "q1", "q2", "q3", "memory"

// The activation of the next gate.
INLINE int16x8_t gate(reader *r) {
    int16x8_t t;
    __asm__ volatile(SUMS SCALE INDEX LOOKUP
                     : [t] "=w"(t), READS
                     : [x_factor] "r"(r->x_factor), TABLE
                     : VECTORS);
    return t;
}

// The candidate of a GRU with reset after, of (bias + x) + reset(h, tr), shifted left by y. In two
// parts: gcc has no registers for all operands without optimisation.
INLINE int16x8_t candidate(reader *r, const int32_t **bias, int32_t x_factor, int32_t y,
                           int16x8_t tr) {
    int32x4_t even, odd;
    __asm__ volatile("vld20.32 {q0, q1}, [%[h]]       \n"
                     "vld21.32 {q0, q1}, [%[h]]!      \n"
                     "vshllb.s16 q2, %q[tr], #16      \n"
                     "vshllt.s16 q3, %q[tr], #16      \n"
                     "vmulh.s32 q2, q0, q2            \n" // (h * tr) >> 16
                     "vmulh.s32 q3, q1, q3            \n"
                     "vshr.s32 q0, q0, #1             \n"
                     "vshr.s32 q1, q1, #1             \n"
                     "vadd.i32 %q[even], q0, q2       \n"
                     "vadd.i32 %q[odd], q1, q3        \n"
                     "vld20.32 {q2, q3}, [%[x]]       \n"
                     "vld21.32 {q2, q3}, [%[x]]!      \n"
                     "vmla.s32 %q[even], q2, %[factor]\n"
                     "vmla.s32 %q[odd], q3, %[factor] \n"
                     "vld20.32 {q2, q3}, [%[bias]]    \n"
                     "vld21.32 {q2, q3}, [%[bias]]!   \n"
                     "vadd.i32 %q[even], %q[even], q2 \n"
                     "vadd.i32 %q[odd], %q[odd], q3   \n"
                     "vshl.s32 %q[even], %[y]         \n"
                     "vshl.s32 %q[odd], %[y]          \n"
                     : [even] "=w"(even), [odd] "=w"(odd), [h] "+r"(r->h), [x] "+r"(r->x),
                       [bias] "+r"(*bias)
                     : [factor] "r"(x_factor), [y] "r"(y), [tr] "w"(tr)
                     : VECTORS);
    int16x8_t t;
    __asm__ volatile("vldrb.u32 q2, [%[m]], #4        \n"
                     "vldrb.u32 q3, [%[m]], #4        \n"
                     "vmul.i32 q0, %q[even], q2       \n"
                     "vmul.i32 q1, %q[odd], q3        \n"
                     INDEX LOOKUP
                     : [t] "=w"(t), [m] "+l"(r->m), [fraction] "+w"(r->fraction)
                     : [even] "w"(even), [odd] "w"(odd), TABLE
                     : VECTORS);
    return t;
}

// q1 = blend(q0, n, t), upwards from the smaller of q0 and n: so rounding half up is that of the
// difference, below 2^16, times 32768 + t or, if q0 is the smaller one, 65536 - (32768 + t)
#define BLEND                                 \
    "vadd.i16 q1, %q[t], %[top]           \n" \
    "vmin.s16 q2, q0, %q[n]               \n" \
    "vabd.s16 q3, q0, %q[n]               \n" \
    "vpt.s16 ge, %q[n], q0                \n" \
    "vnegt.s16 q1, q1                     \n" \
    "vrmulh.u16 q1, q1, q3                \n" \
    "vadd.i16 q1, q1, q2                  \n"

// The functions below read and write no more than *units units. The last one of a step takes 8
// away, here so that the compilers do not unroll the loops.
#define FIRST                                 \
    "vctp.16 %[units]                     \n" \
    "vpst                                 \n"
#define COUNT "sub %[units], %[units], #8 \n"

// h = blend(h, n, t)
INLINE void update(int16_t **h, int16x8_t n, int16x8_t t, const reader *r, int32_t *units) {
    __asm__ volatile(FIRST "vldrht.u16 q0, [%[h]]    \n"
                     BLEND
                     FIRST "vstrht.16 q1, [%[h]], #16\n"
                     COUNT
                     : [h] "+r"(*h), [units] "+r"(*units)
                     : [n] "w"(n), [t] "w"(t), [top] "r"(r->top)
                     : VECTORS);
}

// g = narrow(gate(h, t)); gate(v, t) is blend(v, 0, t)
INLINE void reset(int8_t **g, const int16_t **h, int16x8_t t, const reader *r,
                         int32_t *units) {
    __asm__ volatile(FIRST "vldrht.u16 q0, [%[h]], #16\n"
                     BLEND
                     "vqrshrnb.s16 q1, q1, #8         \n"
                     FIRST "vstrbt.16 q1, [%[g]], #8  \n"
                     COUNT
                     : [g] "+l"(*g), [h] "+r"(*h), [units] "+r"(*units)
                     : [n] "w"(vdupq_n_s16(0)), [t] "w"(t), [top] "r"(r->top)
                     : VECTORS);
}

// c = sat16((c * half(tf) + ((g * half(ti)) >> s) + 2^14) >> 15), and lookup(c * 2^(5 + s) + 128):
// its bits 8..23 are c * 2^(s - 3), rounded half up and saturated
INLINE int16x8_t remember(int16_t **c, int16x8_t ti, int16x8_t g, int16x8_t tf, reader *r,
                                 int32_t s, int32_t units) {
    int16x8_t t;
    __asm__ volatile("vshr.s16 q2, %q[ti], #1          \n"
                     "vadd.i16 q2, q2, %[half]         \n" // half(ti)
                     "vmullb.s16 q0, %q[g], q2         \n"
                     "vmullt.s16 q1, %q[g], q2         \n"
                     "vshl.s32 q0, %[minus_s]          \n"
                     "vshl.s32 q1, %[minus_s]          \n"
                     "vshr.s16 q2, %q[tf], #1          \n"
                     "vadd.i16 %q[tf], q2, %[half]     \n"
                     FIRST "vldrht.u16 %q[ti], [%[c]]  \n"
                     "vmullb.s16 q2, %q[ti], %q[tf]    \n"
                     "vmullt.s16 q3, %q[ti], %q[tf]    \n"
                     "vadd.i32 q0, q0, q2              \n"
                     "vadd.i32 q1, q1, q3              \n"
                     "vqrshrnb.s32 q0, q0, #15         \n"
                     "vqrshrnt.s32 q0, q1, #15         \n"
                     "vpst                             \n"
                     "vstrht.16 q0, [%[c]], #16        \n"
                     "vqrshl.s16 q0, %[scale]          \n"
                     LOOKUP
                     : [t] "=w"(t), [c] "+r"(*c), [fraction] "+w"(r->fraction), [ti] "+w"(ti),
                       [tf] "+w"(tf)
                     : [g] "w"(g), [half] "r"(16384), [minus_s] "r"(-s), [scale] "r"(s - 3),
                       [units] "r"(units), TABLE
                     : VECTORS);
    return t;
}

// h = gate(tc, to)
INLINE void expose(int16_t **h, int16x8_t tc, int16x8_t to, const reader *r,
                          int32_t *units) {
    __asm__ volatile("vmov q0, %q[tc]                \n"
                     BLEND
                     FIRST "vstrht.16 q1, [%[h]], #16\n"
                     COUNT
                     : [h] "+r"(*h), [units] "+r"(*units)
                     : [n] "w"(vdupq_n_s16(0)), [tc] "w"(tc), [t] "w"(to), [top] "r"(r->top)
                     : VECTORS);
}

// h = t
INLINE void store(int16_t **h, int16x8_t t, int32_t *units) {
    __asm__ volatile(FIRST "vstrht.16 %q[t], [%[h]], #16\n"
                     COUNT
                     : [h] "+r"(*h), [units] "+r"(*units)
                     : [t] "w"(t)
                     : "memory");
}

// limit(q >> shift, 0, 32767)
INLINE int16x8_t relu(reader *r, int32_t shift) {
    int16x8_t t;
    __asm__ volatile(SUMS SCALE
                     "vshl.s32 q0, %[minus]        \n"
                     "vshl.s32 q1, %[minus]        \n"
                     "vqmovnb.s32 q0, q0           \n"
                     "vqmovnt.s32 q0, q1           \n"
                     "vmax.s16 %q[t], q0, %q[zero] \n"
                     : [t] "=w"(t), [h] "+r"(r->h), [x] "+r"(r->x), [m] "+l"(r->m)
                     : [x_factor] "r"(r->x_factor), [minus] "r"(-shift), [zero] "w"(vdupq_n_s16(0))
                     : VECTORS);
    return t;
}

// clang-format on

/// Steps /////////////////////////////////////////////////////////////////////////////////////////

void rnnedge_gru_after_step(const rnnedge_cell *cell, int16_t h[], const int16_t x[],
                            int32_t scratch[]) {
    plan p;
    prepare(&p, cell, h, x, scratch, 1, 3);
    reader r = start(cell);
    const int32_t x_factor = (int32_t)(1u << cell->x_shift), y = -(int32_t)cell->acc_shift;
    uint32_t left = cell->units;
    do {
        const uint32_t units = rnnedge_mve_min(left, RNNEDGE_BLOCK);
        left -= units;
        multiply(&p, cell, RNNEDGE_PART_SPLIT, 3, units);
        r.h = p.h, r.x = p.x;
        int32_t todo = (int32_t)units;
        do {
            const int16x8_t tz = gate(&r), tr = gate(&r);
            const int16x8_t n = candidate(&r, &p.at.bias, x_factor, y, tr);
            update(&h, n, tz, &r, &todo);
        } while (todo > 0);
    } while (left > 0);
}

void rnnedge_gru_before_step(const rnnedge_cell *cell, int16_t h[], const int16_t x[],
                             int32_t scratch[]) {
    plan p;
    prepare(&p, cell, h, x, scratch, 2, 2);
    reader r = start(cell);
    const int8_t *const vh = p.v;
    int32_t *const sum_h = p.h, *const sum_x = p.x;
    const ptrdiff_t apart = (sum_h - sum_x) / 2; // sums of z, sums of n
    int8_t *const vg = (int8_t *)sum_x - rnnedge_mve_up(cell->units, RNNEDGE_MVE_CHUNK);
    vst1q_s8(vg + ((cell->units - 1) & ~15), vdupq_n_s8(0));
    int8_t *g = vg;
    const int16_t *from = h;
    uint32_t left = cell->units;
    do {
        const uint32_t units = rnnedge_mve_min(left, RNNEDGE_BLOCK);
        left -= units;
        multiply(&p, cell, RNNEDGE_PART_HX, 1, units);
        r.h = p.h, r.x = p.x;
        int32_t todo = (int32_t)units;
        do {
            reset(&g, &from, gate(&r), &r, &todo);
        } while (todo > 0);
    } while (left > 0);
    left = cell->units;
    do {
        const uint32_t units = rnnedge_mve_min(left, RNNEDGE_BLOCK);
        left -= units;
        p.v = vh;
        multiply(&p, cell, RNNEDGE_PART_HX, 1, units);
        p.v = vg, p.h += apart, p.x += apart;
        multiply(&p, cell, RNNEDGE_PART_XG, 1, units);
        p.h = sum_h, p.x = sum_x;
        r.h = p.h, r.x = p.x;
        int32_t todo = (int32_t)units;
        do {
            const int16x8_t tz = gate(&r);
            r.h += apart - 8, r.x += apart - 8;
            const int16x8_t n = gate(&r);
            r.h -= apart, r.x -= apart;
            update(&h, n, tz, &r, &todo);
        } while (todo > 0);
    } while (left > 0);
}

void rnnedge_lstm_step(const rnnedge_cell *cell, int16_t h[], const int16_t x[],
                       int32_t scratch[]) {
    plan p;
    prepare(&p, cell, h, x, scratch, 1, 4);
    reader r = start(cell);
    int16_t *c = h + cell->units;
    const int32_t s = cell->state_shift;
    uint32_t left = cell->units;
    do {
        const uint32_t units = rnnedge_mve_min(left, RNNEDGE_BLOCK);
        left -= units;
        multiply(&p, cell, RNNEDGE_PART_HX, 4, units);
        r.h = p.h, r.x = p.x;
        int32_t todo = (int32_t)units;
        do {
            const int16x8_t ti = gate(&r), g = gate(&r), tf = gate(&r);
            const int16x8_t tc = remember(&c, ti, g, tf, &r, s, todo);
            expose(&h, tc, gate(&r), &r, &todo);
        } while (todo > 0);
    } while (left > 0);
}

INLINE void rnn_step(const rnnedge_cell *cell, int16_t h[], const int16_t x[], int32_t scratch[],
                     uint8_t is_relu) {
    plan p;
    prepare(&p, cell, h, x, scratch, 1, 1);
    reader r = start(cell);
    const int32_t shift = 5 + cell->state_shift;
    uint32_t left = cell->units;
    do {
        const uint32_t units = rnnedge_mve_min(left, RNNEDGE_BLOCK);
        left -= units;
        multiply(&p, cell, RNNEDGE_PART_HX, 1, units);
        r.h = p.h, r.x = p.x;
        int32_t todo = (int32_t)units;
        do {
            store(&h, is_relu ? relu(&r, shift) : gate(&r), &todo);
        } while (todo > 0);
    } while (left > 0);
}

void rnnedge_rnn_tanh_step(const rnnedge_cell *cell, int16_t h[], const int16_t x[],
                           int32_t scratch[]) {
    rnn_step(cell, h, x, scratch, 0);
}

void rnnedge_rnn_relu_step(const rnnedge_cell *cell, int16_t h[], const int16_t x[],
                           int32_t scratch[]) {
    rnn_step(cell, h, x, scratch, 1);
}

#endif
