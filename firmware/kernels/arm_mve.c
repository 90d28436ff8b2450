/* arm_mve.c -- products and steps for Helium, the vector extension of Cortex-M55.
 *
 * Products read rows of int8 weights in groups of eight, the accumulators in eight core registers.
 * Rows over x and rows over h give a sum each, `x` and `h`; a row's accumulator is
 *
 *     h + (x << x_shift)        h starts at the bias, x at 0
 *
 * where the product has already shifted h by h_shift, which is seldom other than 0. A layer with
 * 16-bit inputs takes x apart, x = 256 * (x >> 8) + 128 + (x & 255) - 128: the bytes go through the
 * same loops, and the biases contain 128 times the sum of the weights.
 *
 * Weights of a block (convert/c/packing/mve.py), its rows gate after gate, padded to eight:
 *
 *     each group of 8 rows: the first 16 columns of x, row after row, unpadded; then the first 4
 *         whole chunks of 16 columns of h, chunk after chunk, 8 rows each
 *     each further chunk of x: all rows, row after row, unpadded
 *     each further chunk of h, the last one with less than 16 columns: likewise
 *
 * Loads may pass a row's end: there the activations are 0. The array has 16 bytes before the first
 * row and behind the last one.
 */
#include "../src/kernel.h"

#if RNNEDGE_KERNEL == RNNEDGE_KERNEL_MVE

#include <arm_mve.h>

#include <stddef.h>

#define QUADS 4 // chunks of h that stay in registers

// A product of GRU gates z, r, n over h and x, n's sums apart; else the part says nothing here.
enum { PART_SPLIT = RNNEDGE_PART_XG + 1 };

// What a step has prepared for its products. The assembler knows the order of the first fields.
typedef struct {
    rnnedge_cursor at;    // must be first: products get a pointer to it
    int32_t *h;           // sums over h, out
    uint32_t groups;      // of 8 rows
    int32_t *x;           // sums over x, out
    uint32_t two_rows;    // bytes of two rows of the first chunk of x
    const int8_t *v;      // h or r * h, narrowed
    const int8_t *x_low;  // first chunk of x in the low lanes, zeros above
    const int8_t *x_high; // in the high lanes, zeros below
    uint32_t code;        // bytes of code that multiply h's chunks, minus the Thumb bit
    // C only
    uint8_t plain; // sums() does everything
} plan;

// Sums over the first chunk of x and up to 4 chunks of h for p->groups of 8 rows.
//
// r0 r2 r4 r6 r8 r10 r12 lr accumulators   r1 weights  r3 biases  r5 h  r7 groups  r9 x
// r11 bytes of two rows of x   q0..q3 h   q4, q5 x in low, high lanes   q6, q7 weights
// stack: plan, where to enter the chunks of h
__attribute__((naked, noinline, aligned(4))) static void sums(plan *p __attribute__((unused))) {
    __asm__ volatile("push {r4-r11, lr}\n"
                     "vpush {d8-d15}\n"
                     "ldm r0, {r1, r3, r5, r7, r9, r11}\n"
                     "ldrd r2, r4, [r0, #24]\n"
                     "ldrd r6, r8, [r0, #32]\n"
                     "vldrb.u8 q0, [r2]\n"
                     "vldrb.u8 q1, [r2, #16]\n"
                     "vldrb.u8 q2, [r2, #32]\n"
                     "vldrb.u8 q3, [r2, #48]\n"
                     "vldrb.u8 q4, [r4]\n"
                     "vldrb.u8 q5, [r6]\n"
                     "adr.w r12, 2f\n"
                     "sub r12, r12, r8\n"
                     "push {r0, r12}\n"
                     "1:\n"
                     ".macro rnnedge_pair a, b\n"
                     "vldrb.u8 q6, [r1]\n"
                     "add r1, r11\n"
                     "vldrb.u8 q7, [r1, #-16]\n"
                     "vmladav.s8 \\a, q6, q4\n"
                     "vmladav.s8 \\b, q7, q5\n"
                     ".endm\n"
                     "rnnedge_pair r0, r2\n"
                     "rnnedge_pair r4, r6\n"
                     "rnnedge_pair r8, r10\n"
                     "rnnedge_pair r12, lr\n"
                     ".purgem rnnedge_pair\n"
                     "stm r9!, {r0, r2, r4, r6, r8, r10, r12, lr}\n"
                     "ldm r3!, {r0, r2, r4, r6, r8, r10, r12, lr}\n"
                     "ldr pc, [sp, #4]\n"
                     ".irp q, q3, q2, q1, q0\n"
                     ".irp a, r0, r2, r4, r6, r8, r10, r12, lr\n"
                     "vldrb.u8 q6, [r1], #16\n"
                     "vmladava.s8 \\a, q6, \\q\n"
                     ".endr\n"
                     ".endr\n"
                     "2:\n"
                     "stm r5!, {r0, r2, r4, r6, r8, r10, r12, lr}\n"
                     "subs r7, #1\n"
                     "bne 1b\n"
                     "pop {r0, r2}\n"
                     "strd r1, r3, [r0]\n"
                     "vpop {d8-d15}\n"
                     "pop {r4-r11, pc}\n");
}

// Add to the sums of `groups` times 8 rows one more chunk of `columns`, 1..16; return the weights
// behind it. `gap` bytes lie between two groups.
//
// r0 r2 r4 r6 r8 r10 r12 lr accumulators   r1 weights  r3 columns  r5 sums  r7 groups  r9 gap
__attribute__((naked, noinline, aligned(4))) static const int8_t *
add(int32_t *sum __attribute__((unused)), const int8_t *w __attribute__((unused)),
    const int8_t *v __attribute__((unused)), uint32_t columns __attribute__((unused)),
    uint32_t groups __attribute__((unused)), uint32_t gap __attribute__((unused))) {
    __asm__ volatile("push {r4-r10, lr}\n"
                     "mov r5, r0\n"
                     "vldrb.u8 q0, [r2]\n"
                     "ldr r7, [sp, #32]\n"
                     "ldr r9, [sp, #36]\n"
                     "1:\n"
                     "ldm r5, {r0, r2, r4, r6, r8, r10, r12, lr}\n"
                     ".irp a, r0, r2, r4, r6, r8, r10, r12, lr\n"
                     "vldrb.u8 q1, [r1]\n"
                     "add r1, r3\n"
                     "vmladava.s8 \\a, q1, q0\n"
                     ".endr\n"
                     "add r1, r9\n"
                     "stm r5!, {r0, r2, r4, r6, r8, r10, r12, lr}\n"
                     "subs r7, #1\n"
                     "bne 1b\n"
                     "mov r0, r1\n"
                     "pop {r4-r10, pc}\n");
}

static inline uint32_t at_most(uint32_t n, uint32_t limit) {
    return n < limit ? n : limit;
}

// sum = (sum * factor + b * b_factor + x * x_factor) >> y, modulo 2^32 before the shift.
static void combine(int32_t sum[], int32_t factor, const int32_t b[], int32_t b_factor,
                    const int32_t x[], int32_t x_factor, uint8_t y, uint32_t rows) {
    for (uint32_t i = 0; i < rows; i += 4) {
        const mve_pred16_t p = vctp32q(rows - i);
        int32x4_t s = vmulq_n_s32(vldrwq_z_s32(sum + i, p), factor);
        s = vmlaq_n_s32(s, vldrwq_z_s32(b + i, p), b_factor);
        s = vmlaq_n_s32(s, vldrwq_z_s32(x + i, p), x_factor);
        vstrwq_p_s32(sum + i, vshlq_r_s32(s, -(int32_t)y), p);
    }
}

// The sums that sums() leaves out: columns of x behind 16, of h behind 64 and in a last part chunk.
static const int8_t *add_x(const plan *p, const rnnedge_cell *cell, const int8_t *w,
                           const int8_t *x) {
    for (uint32_t from = 16; from < cell->inputs; from += 16) {
        w = add(p->x, w, x + from, at_most(cell->inputs - from, 16), p->groups, 0);
    }
    return w;
}

static const int8_t *add_h(const plan *p, const rnnedge_cell *cell, const int8_t *w) {
    for (uint32_t from = 16 * at_most(cell->units / 16, QUADS); from < cell->units; from += 16) {
        w = add(p->h, w, p->v + from, at_most(cell->units - from, 16), p->groups, 0);
    }
    return w;
}

// All sums of a layer with 8-bit inputs; h's are shifted.
void rnnedge_product_narrow(rnnedge_cursor *at, const rnnedge_cell *cell, const void *v,
                            uint8_t part, uint8_t gates, uint16_t units, int32_t acc[]) {
    (void)v, (void)part, (void)acc;
    plan *p = (plan *)at;
    const int32_t *bias = at->bias;
    const int32_t factor = (int32_t)(1u << cell->h_shift);
    sums(p);
    at->weights = add_h(p, cell, add_x(p, cell, (const int8_t *)at->weights, p->x_low));
    if (cell->h_shift != 0) { // sum + bias to (sum << h_shift) + bias
        combine(p->h, factor, bias, 1 - factor, p->x, 0, 0, (uint32_t)gates * units);
    }
}

// All sums of any layer. With 16-bit inputs h's are complete, and shifted by acc_shift; but those
// of a last gate whose x and h stay apart.
void rnnedge_product_wide(rnnedge_cursor *at, const rnnedge_cell *cell, const void *v, uint8_t part,
                          uint8_t gates, uint16_t units, int32_t acc[]) {
    if (cell->input_bits == 8) {
        rnnedge_product_narrow(at, cell, v, part, gates, units, acc);
        return;
    }
    plan *p = (plan *)at;
    const int8_t *first = (const int8_t *)at->weights;
    const int32_t *bias = at->bias;
    const int32_t factor = (int32_t)(1u << cell->h_shift);
    const uint32_t columns = at_most(cell->inputs, 16);
    const uint32_t quads = at_most(cell->units / 16, QUADS);
    const uint32_t rows = (uint32_t)gates * units;
    const int8_t *low = p->x_low + rnnedge_padded(cell->inputs);
    sums(p);
    const int8_t *further = (const int8_t *)at->weights;
    (void)add_x(p, cell, further, p->x_low);
    combine(p->x, 256, p->x, 0, p->x, 0, 0, rows);
    (void)add(p->x, first, low, columns, p->groups, 8 * 16 * quads);
    at->weights = add_h(p, cell, add_x(p, cell, further, low));
    if (part != PART_SPLIT) {
        combine(p->h, factor, bias, 1 - factor, p->x, 1, cell->acc_shift, rows);
        return;
    }
    int32_t *h = p->h, *x = p->x;
    for (uint32_t left = units; left > 0;) {
        const uint32_t eight = at_most(left, 8);
        combine(h, factor, bias, 1 - factor, x, 1, cell->acc_shift, 2 * eight);
        h += 2 * eight, x += 2 * eight, bias += 2 * eight;
        combine(h, factor, bias, 1 - factor, x, 0, 0, eight);
        h += eight, x += eight, bias += eight;
        left -= eight;
    }
}

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
static inline void split(int8_t high[], int8_t low[], const int16_t values[], uint32_t n) {
    vst1q_s8(high + ((n - 1) & ~15u), vdupq_n_s8(0));
    vst1q_s8(low + ((n - 1) & ~15u), vdupq_n_s8(0));
    for (uint32_t i = 0; i < n; i += 8) {
        const mve_pred16_t p = vctp16q(n - i);
        const int16x8_t value = vldrhq_z_s16(values + i, p);
        vstrbq_p_s16(high + i, vshrq_n_s16(value, 8), p);
        vstrbq_p_s16(low + i, vaddq_n_s16(value, 128), p);
    }
}

// v in scratch, and behind it the sums of `gates` gates at once; `parts` of h: 1, or 2 with r * h.
static inline void prepare(plan *p, const rnnedge_cell *cell, const int16_t h[], const int16_t x[],
                           int32_t scratch[], uint32_t parts, uint32_t gates) {
    const uint32_t I = cell->inputs, H = cell->units;
    const uint32_t columns = at_most(I, 16);
    int8_t *v = (int8_t *)scratch;
    vst1q_s8(v, vdupq_n_s8(0));
    v += 16;
    p->at.weights = cell->weights;
    p->at.bias = cell->bias;
    p->two_rows = 2 * columns;
    p->x_low = v;
    p->x_high = v + columns - 16;
    p->code = 16 * 4 * at_most(H / 16, QUADS) - 1;
    p->plain = 0;
    int8_t *vh = v + rnnedge_padded((uint16_t)I);
    if (cell->input_bits == 8) {
        narrow(v, x, I);
        p->plain = H % 16 == 0 && H <= 16 * QUADS && I <= 16 && cell->h_shift == 0;
    } else {
        split(v, vh, x, I);
        vh += rnnedge_padded((uint16_t)I);
    }
    p->v = vh;
    narrow(vh, h, H);
    p->x = (int32_t *)(void *)(vh + parts * rnnedge_padded((uint16_t)H));
    p->h = p->x + gates * ((at_most(H, RNNEDGE_BLOCK) + 7) & ~7u);
}

// Place the sums of the `rest` units behind the last whole eight of a block as those of eight.
static void spread(int32_t sum[], uint32_t gates, uint32_t rest) {
    for (uint32_t gate = gates; gate-- > 0;) {
        const int32x4_t low = vld1q_s32(sum + gate * rest), high = vld1q_s32(sum + gate * rest + 4);
        vst1q_s32(sum + 8 * gate, low);
        vst1q_s32(sum + 8 * gate + 4, high);
    }
}

// Sums of gates * units rows.
static inline void multiply(plan *p, const rnnedge_cell *cell, uint8_t part, uint8_t gates,
                            uint32_t units) {
    p->groups = (gates * units + 7) / 8;
    if (p->plain) {
        sums(p);
    } else {
        cell->product(&p->at, cell, NULL, part, gates, (uint16_t)units, NULL);
    }
    if (units % 8 != 0) {
        spread(p->x + gates * (units & ~7u), gates, units % 8);
        spread(p->h + gates * (units & ~7u), gates, units % 8);
    }
}

// Activations and updates for 8 units at once. Assembler, since what the compilers make of the
// intrinsics differs, and gcc 12 writes addresses of VLD2 that do not exist. It uses q0 to q3 and
// the vector predicate, which a clobber list cannot name: no intrinsic with a predicate may be
// called in the step functions.

// Where the activations read, and their constants.
typedef struct {
    const int32_t *h, *x;     // sums of the next gate
    const uint8_t *m;         // its multipliers: units 0, 2, 4, 6, 1, 3, 5, 7
    const uint16_t *d, *knot; // the table's halves
    int32_t x_factor;         // of the sums over x
    int32_t top;              // -32768
    uint16x8_t fraction;      // low bytes 1; high bytes change
} reader;

static inline reader start(const rnnedge_cell *cell) {
    const uint16_t *table = (const uint16_t *)(const void *)rnnedge_tanh_table;
    const int32_t factor = cell->input_bits == 8 ? (int32_t)(1u << cell->x_shift) : 0;
    const reader r = {NULL,      NULL,   cell->multiplier, table,
                      table + 1, factor, INT16_MIN,        vdupq_n_u16(1)};
    return r;
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

// The activation of a gate.
static inline int16x8_t gate(reader *r) {
    int16x8_t t;
    __asm__ volatile(SUMS SCALE INDEX LOOKUP
                     : [t] "=w"(t), READS
                     : [x_factor] "r"(r->x_factor), TABLE
                     : "q0", "q1", "q2", "q3", "memory");
    return t;
}

// The candidate of a GRU with reset after: (bias + x) + reset(h, tr), shifted by y.
static inline int16x8_t candidate(reader *r, const int32_t **bias, int32_t x_factor, int32_t y,
                                  int16x8_t tr) {
    int16x8_t t;
    __asm__ volatile("vld20.32 {q0, q1}, [%[h]]    \n"
                     "vld21.32 {q0, q1}, [%[h]]!   \n"
                     "vshllb.s16 q2, %q[tr], #16   \n"
                     "vshllt.s16 q3, %q[tr], #16   \n"
                     "vmulh.s32 q2, q0, q2         \n" // (h * tr) >> 16
                     "vmulh.s32 q3, q1, q3         \n"
                     "vshr.s32 q0, q0, #1          \n"
                     "vshr.s32 q1, q1, #1          \n"
                     "vadd.i32 q0, q0, q2          \n"
                     "vadd.i32 q1, q1, q3          \n"
                     "vld20.32 {q2, q3}, [%[x]]    \n"
                     "vld21.32 {q2, q3}, [%[x]]!   \n"
                     "vmla.s32 q0, q2, %[x_factor] \n"
                     "vmla.s32 q1, q3, %[x_factor] \n"
                     "vld20.32 {q2, q3}, [%[bias]] \n"
                     "vld21.32 {q2, q3}, [%[bias]]!\n"
                     "vadd.i32 q0, q0, q2          \n"
                     "vadd.i32 q1, q1, q3          \n"
                     "vshl.s32 q0, %[y]            \n"
                     "vshl.s32 q1, %[y]            \n"
                     SCALE INDEX LOOKUP
                     : [t] "=w"(t), READS, [bias] "+r"(*bias)
                     : [x_factor] "r"(x_factor), [y] "r"(y), [tr] "w"(tr), TABLE
                     : "q0", "q1", "q2", "q3", "memory");
    return t;
}

// q1 = blend(q0, n, t), upwards from the smaller of q0 and n: so rounding half up is that of the
// difference, at most 65535, times 32768 + t or, from q0 on, 65536 - (32768 + t)
#define BLEND                                 \
    "vadd.i16 q1, %q[t], %[top]           \n" \
    "vmin.s16 q2, q0, %q[n]               \n" \
    "vabd.s16 q3, q0, %q[n]               \n" \
    "vpt.s16 ge, %q[n], q0                \n" \
    "vnegt.s16 q1, q1                     \n" \
    "vrmulh.u16 q1, q1, q3                \n" \
    "vadd.i16 q1, q1, q2                  \n"

// h = blend(h, n, t) for the first `units` of 8.
static inline void update(int16_t **h, int16x8_t n, int16x8_t t, const reader *r, uint32_t units) {
    __asm__ volatile("vctp.16 %[units]        \n"
                     "vpst                    \n"
                     "vldrht.u16 q0, [%[h]]   \n"
                     BLEND
                     "vctp.16 %[units]        \n"
                     "vpst                    \n"
                     "vstrht.16 q1, [%[h]], #16\n"
                     : [h] "+r"(*h)
                     : [n] "w"(n), [t] "w"(t), [top] "r"(r->top), [units] "r"(units)
                     : "q0", "q1", "q2", "q3", "memory");
}

// g = narrow(gate(h, t)) for the first `units` of 8: gate(v, t) is blend(v, 0, t).
static inline void reset_state(int8_t **g, const int16_t **h, int16x8_t t, const reader *r,
                               uint32_t units) {
    __asm__ volatile("vctp.16 %[units]            \n"
                     "vpst                        \n"
                     "vldrht.u16 q0, [%[h]], #16  \n"
                     BLEND
                     "vqrshrnb.s16 q1, q1, #8     \n"
                     "vctp.16 %[units]            \n"
                     "vpst                        \n"
                     "vstrbt.16 q1, [%[g]], #8    \n"
                     : [g] "+l"(*g), [h] "+r"(*h)
                     : [n] "w"(vdupq_n_s16(0)), [t] "w"(t), [top] "r"(r->top), [units] "r"(units)
                     : "q0", "q1", "q2", "q3", "memory");
}

// c = sat16((c * half(tf) + ((g * half(ti)) >> s) + 2^14) >> 15); return lookup(c * 2^(5 + s) + 128),
// whose bits 8..23 are c * 2^(s - 3), rounded half up and saturated.
static inline int16x8_t cell_state(int16_t **c, int16x8_t ti, int16x8_t g, int16x8_t tf, reader *r,
                                   int32_t s, uint32_t units) {
    int16x8_t t;
    __asm__ volatile("vshr.s16 q2, %q[ti], #1    \n"
                     "vadd.i16 q2, q2, %[half]   \n"
                     "vmullb.s16 q0, %q[g], q2   \n"
                     "vmullt.s16 q1, %q[g], q2   \n"
                     "vshl.s32 q0, %[minus_s]    \n"
                     "vshl.s32 q1, %[minus_s]    \n"
                     "vshr.s16 q2, %q[tf], #1    \n"
                     "vadd.i16 %q[tf], q2, %[half]\n"
                     "vctp.16 %[units]           \n"
                     "vpst                       \n"
                     "vldrht.u16 %q[ti], [%[c]]  \n"
                     "vmullb.s16 q2, %q[ti], %q[tf]\n"
                     "vmullt.s16 q3, %q[ti], %q[tf]\n"
                     "vadd.i32 q0, q0, q2        \n"
                     "vadd.i32 q1, q1, q3        \n"
                     "vqrshrnb.s32 q0, q0, #15   \n"
                     "vqrshrnt.s32 q0, q1, #15   \n"
                     "vpst                       \n"
                     "vstrht.16 q0, [%[c]], #16  \n"
                     "vqrshl.s16 q0, %[scale]    \n"
                     LOOKUP
                     : [t] "=w"(t), [c] "+r"(*c), [fraction] "+w"(r->fraction), [ti] "+w"(ti),
                       [tf] "+w"(tf)
                     : [g] "w"(g), [half] "r"(16384), [minus_s] "r"(-s), [scale] "r"(s - 3),
                       [units] "r"(units), TABLE
                     : "q0", "q1", "q2", "q3", "memory");
    return t;
}

// h = gate(tc, to) for the first `units` of 8.
static inline void expose(int16_t **h, int16x8_t tc, int16x8_t to, const reader *r,
                          uint32_t units) {
    __asm__ volatile("vmov q0, %q[tc]            \n"
                     BLEND
                     "vctp.16 %[units]           \n"
                     "vpst                       \n"
                     "vstrht.16 q1, [%[h]], #16  \n"
                     : [h] "+r"(*h)
                     : [n] "w"(vdupq_n_s16(0)), [tc] "w"(tc), [t] "w"(to), [top] "r"(r->top),
                       [units] "r"(units)
                     : "q0", "q1", "q2", "q3", "memory");
}

// h = t for the first `units` of 8.
static inline void store(int16_t **h, int16x8_t t, uint32_t units) {
    __asm__ volatile("vctp.16 %[units]            \n"
                     "vpst                        \n"
                     "vstrht.16 %q[t], [%[h]], #16\n"
                     : [h] "+r"(*h)
                     : [t] "w"(t), [units] "r"(units)
                     : "memory");
}

// limit(q >> shift, 0, 32767)
static inline int16x8_t relu(reader *r, int32_t shift) {
    int16x8_t t;
    __asm__ volatile(SUMS SCALE
                     "vshl.s32 q0, %[minus]          \n"
                     "vshl.s32 q1, %[minus]          \n"
                     "vqmovnb.s32 q0, q0             \n"
                     "vqmovnt.s32 q0, q1             \n"
                     "vmax.s16 %q[t], q0, %q[zero]   \n"
                     : [t] "=w"(t), [h] "+r"(r->h), [x] "+r"(r->x), [m] "+l"(r->m)
                     : [x_factor] "r"(r->x_factor), [minus] "r"(-shift), [zero] "w"(vdupq_n_s16(0))
                     : "q0", "q1", "q2", "q3", "memory");
    return t;
}

// clang-format on

void rnnedge_gru_after_step(const rnnedge_cell *cell, int16_t h[], const int16_t x[],
                            int32_t scratch[]) {
    plan p;
    prepare(&p, cell, h, x, scratch, 1, 3);
    reader r = start(cell);
    const int32_t x_factor = (int32_t)(1u << cell->x_shift), y = -(int32_t)cell->acc_shift;
    for (uint32_t left = cell->units; left > 0;) {
        const uint32_t units = at_most(left, RNNEDGE_BLOCK);
        left -= units;
        multiply(&p, cell, PART_SPLIT, 3, units);
        r.h = p.h, r.x = p.x;
        for (int32_t todo = (int32_t)units; todo > 0; todo -= 8) {
            const int16x8_t tz = gate(&r), tr = gate(&r);
            const int16x8_t n = candidate(&r, &p.at.bias, x_factor, y, tr);
            update(&h, n, tz, &r, (uint32_t)todo);
        }
    }
}

void rnnedge_gru_before_step(const rnnedge_cell *cell, int16_t h[], const int16_t x[],
                             int32_t scratch[]) {
    plan p;
    prepare(&p, cell, h, x, scratch, 2, 2);
    reader r = start(cell);
    const int8_t *vh = p.v;
    int8_t *const vg = (int8_t *)p.x - rnnedge_padded(cell->units), *g = vg;
    vst1q_s8(vg + ((cell->units - 1) & ~15), vdupq_n_s8(0));
    const int16_t *from = h;
    for (uint32_t left = cell->units; left > 0;) {
        const uint32_t units = at_most(left, RNNEDGE_BLOCK);
        left -= units;
        multiply(&p, cell, RNNEDGE_PART_HX, 1, units);
        r.h = p.h, r.x = p.x;
        for (int32_t todo = (int32_t)units; todo > 0; todo -= 8) {
            reset_state(&g, &from, gate(&r), &r, (uint32_t)todo);
        }
    }
    int32_t *const sum_h = p.h, *const sum_x = p.x;
    const ptrdiff_t apart = (sum_h - sum_x) / 2; // sums of z, sums of n
    for (uint32_t left = cell->units; left > 0;) {
        const uint32_t units = at_most(left, RNNEDGE_BLOCK);
        left -= units;
        p.v = vh;
        multiply(&p, cell, RNNEDGE_PART_HX, 1, units);
        p.v = vg, p.h += apart, p.x += apart;
        multiply(&p, cell, RNNEDGE_PART_XG, 1, units);
        p.h = sum_h, p.x = sum_x;
        r.h = p.h, r.x = p.x;
        for (int32_t todo = (int32_t)units; todo > 0; todo -= 8) {
            const int16x8_t tz = gate(&r);
            r.h += apart - 8, r.x += apart - 8;
            const int16x8_t n = gate(&r);
            r.h -= apart, r.x -= apart;
            update(&h, n, tz, &r, (uint32_t)todo);
        }
    }
}

void rnnedge_lstm_step(const rnnedge_cell *cell, int16_t h[], const int16_t x[],
                       int32_t scratch[]) {
    plan p;
    prepare(&p, cell, h, x, scratch, 1, 4);
    reader r = start(cell);
    int16_t *c = h + cell->units;
    const int32_t s = cell->state_shift;
    for (uint32_t left = cell->units; left > 0;) {
        const uint32_t units = at_most(left, RNNEDGE_BLOCK);
        left -= units;
        multiply(&p, cell, RNNEDGE_PART_HX, 4, units);
        r.h = p.h, r.x = p.x;
        for (int32_t todo = (int32_t)units; todo > 0; todo -= 8) {
            const int16x8_t ti = gate(&r), g = gate(&r), tf = gate(&r);
            const int16x8_t tc = cell_state(&c, ti, g, tf, &r, s, (uint32_t)todo);
            expose(&h, tc, gate(&r), &r, (uint32_t)todo);
        }
    }
}

static inline void rnn_step(const rnnedge_cell *cell, int16_t h[], const int16_t x[],
                            int32_t scratch[], uint8_t is_relu) {
    plan p;
    prepare(&p, cell, h, x, scratch, 1, 1);
    reader r = start(cell);
    for (uint32_t left = cell->units; left > 0;) {
        const uint32_t units = at_most(left, RNNEDGE_BLOCK);
        left -= units;
        multiply(&p, cell, RNNEDGE_PART_HX, 1, units);
        r.h = p.h, r.x = p.x;
        for (int32_t todo = (int32_t)units; todo > 0; todo -= 8) {
            store(&h, is_relu ? relu(&r, 5 + cell->state_shift) : gate(&r), (uint32_t)todo);
        }
    }
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
