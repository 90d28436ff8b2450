/* arm_dsp.c -- Cortex-M4, M7, M33: products with SMLAD, and the steps of all cells around them.
 *
 * A step works on groups of 4 units. What a group needs is planned once a step: for each gate an
 * entry that says over which part of v its rows go, and that takes their accumulators. run() then
 * carries out the plan, entry after entry, for one group. The weights of a group lie in the same
 * order (convert/c/packing/dsp.py): for each gate 4 words that set up the accumulators of its 4
 * rows a, b, c, d, then 4 words for every 4 columns.
 *
 * Narrow layers keep two rows in a halfword, 256 a + b. With SMLAD, of two columns at once,
 *
 *     S += (256 a + b) v        B += b v, where SXTB16 takes b out of the same word
 *
 * and A = (S - B) >> 8, exactly: S - B is 256 A, below 2^31 as |A| < 2^23, so it does not matter
 * that S may wrap. That is 3 instructions for 4 products, without unpacking a.
 *
 * Wide layers keep the bytes of a row and 4 columns in a word, in the order of columns 0, 2, 1, 3:
 * SXTB16 of the word gives columns 0 and 1, of the word rotated by 8 columns 2 and 3.
 */
#include "../src/kernel.h"

#if RNNEDGE_KERNEL == RNNEDGE_KERNEL_DSP

#include <arm_acle.h>
#include <stddef.h>

#define GROUP 4 // units

#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define NOINLINE __attribute__((noinline))
// Written in assembler; the compiler must not draw conclusions from what it does not see there.
#ifdef __clang__
#define ASSEMBLER __attribute__((naked, noinline, unused))
#else
#define ASSEMBLER __attribute__((naked, noipa, unused))
#endif

#ifdef __OPTIMIZE_SIZE__
#define FAST 0
#define STEPS 1 // of 4 columns, without a branch; a power of two
#else
#define FAST 1
#define STEPS 8
#endif
#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

// The rows of one gate. After the last entry of a plan there is one without accumulators, whose
// code returns.
typedef struct {
    const uint32_t *v;   // first columns
    int32_t acc_shift;   // of wide layers: what the accumulators are to be shifted by
    const uint32_t *end; // behind the last columns
    uint32_t code;       // where the first round of steps starts
    int32_t acc[GROUP];
} gate_plan;

RNNEDGE_STATIC_ASSERT(sizeof(gate_plan) == 32, plan_is_as_the_assembler_reads_it);

/// Products //////////////////////////////////////////////////////////////////////////////////////
//
//   r0       v                        r6, r7    columns 0, 1 and 2, 3 of v
//   r1       weights                  r8-r11    weights of 4 rows, 4 columns
//   r2-r5    accumulators             r12       end of v
//   lr       in the plan, behind `code` of the present entry

// clang-format off

// Store the accumulators, go on with the next entry. What is left in r6 has no use.
#define NEXT_GATE                                                                                  \
    "stm    lr!, {r2-r5}              \n"                                                          \
    "ldm    r1!, {r2-r5}              \n"                                                          \
    "ldm    lr!, {r0, r6, r12, pc}    \n"

// Two columns of a, b (word ab) and c, d (word cd): r2 S and r3 B of a, b; r4 and r5 of c, d.
#define NARROW_COLUMNS(ab, cd, v)                                                                  \
    "smlad  r2, " ab ", " v ", r2     \n"                                                          \
    "sxtb16 " ab ", " ab "            \n"                                                          \
    "smlad  r4, " cd ", " v ", r4     \n"                                                          \
    "sxtb16 " cd ", " cd "            \n"                                                          \
    "smlad  r3, " ab ", " v ", r3     \n"                                                          \
    "smlad  r5, " cd ", " v ", r5     \n"

#define NARROW_STEP_BYTES 56

ASSEMBLER static void narrow_steps(void) {
    __asm__ volatile(
        "1:                               \n"
        ".rept " TEXT(STEPS) "            \n"
        "ldm.w  r0!, {r6, r7}             \n"
        "ldm.w  r1!, {r8-r11}             \n"
        NARROW_COLUMNS("r8", "r9", "r6")
        NARROW_COLUMNS("r10", "r11", "r7")
        ".endr                            \n"
        "cmp    r0, r12                   \n"
        "bne    1b                        \n"
        "subs   r2, r2, r3                \n"
        "subs   r4, r4, r5                \n"
        "asrs   r2, r2, #8                \n"
        "asrs   r4, r4, #8                \n"
        NEXT_GATE
    );
}

// Four columns of a row.
#define WIDE_ROW(w, temporary, acc)                                                                \
    "sxtb16 " temporary ", " w "      \n"                                                          \
    "sxtb16 " w ", " w ", ror #8      \n"                                                          \
    "smlad  " acc ", " temporary ", r6, " acc "\n"                                                 \
    "smlad  " acc ", " w ", r7, " acc "\n"

#define WIDE_STEP_BYTES 72

ASSEMBLER static void wide_steps(void) {
    __asm__ volatile(
        "1:                               \n"
        ".rept " TEXT(STEPS) "            \n"
        "ldm.w  r0!, {r6, r7}             \n"
        "ldm.w  r1!, {r8-r11}             \n"
        WIDE_ROW("r8", "r12", "r2")
        WIDE_ROW("r9", "r8", "r3")
        WIDE_ROW("r10", "r9", "r4")
        WIDE_ROW("r11", "r10", "r5")
        ".endr                            \n"
        "ldr    r12, [lr, #-8]            \n"
        "cmp    r0, r12                   \n"
        "bne    1b                        \n"
        "ldr    r6, [lr, #-12]            \n"
        "asrs   r2, r6                    \n"
        "asrs   r3, r6                    \n"
        "asrs   r4, r6                    \n"
        "asrs   r5, r6                    \n"
        NEXT_GATE
    );
}

// Carry out a plan for one group; return the weights of the next one.
ASSEMBLER static const void *run(const void *weights __attribute__((unused)),
                                 gate_plan plan[] __attribute__((unused))) {
    __asm__ volatile(
        "push   {r4-r11, lr}              \n"
        "mov    lr, r1                    \n"
        "mov    r1, r0                    \n"
        "ldm    r1!, {r2-r5}              \n"
        "ldm    lr!, {r0, r6, r12, pc}    \n"
    );
}

// The end of a plan. r1 is 4 words ahead.
ASSEMBLER static void run_end(void) {
    __asm__ volatile(
        "sub    r0, r1, #16               \n"
        "pop    {r4-r11, pc}              \n"
    );
}

// clang-format on

static inline uint32_t address(void (*code)(void)) {
    return (uint32_t)(uintptr_t)code;
}

// A product of this kernel computes nothing by itself: it says, in place of accumulators, where its
// steps start and how many bytes of code a step takes.
typedef struct {
    uint32_t code;
    uint32_t step_bytes;
} product_steps;

void rnnedge_product_narrow(rnnedge_cursor *at, const rnnedge_cell *cell, const void *v,
                            uint8_t part, uint8_t gates, uint16_t units, int32_t acc[]) {
    (void)at, (void)cell, (void)v, (void)part, (void)gates, (void)units;
    *(product_steps *)(void *)acc = (product_steps){address(narrow_steps), NARROW_STEP_BYTES};
}

void rnnedge_product_wide(rnnedge_cursor *at, const rnnedge_cell *cell, const void *v, uint8_t part,
                          uint8_t gates, uint16_t units, int32_t acc[]) {
    (void)at, (void)cell, (void)v, (void)part, (void)gates, (void)units;
    *(product_steps *)(void *)acc = (product_steps){address(wide_steps), WIDE_STEP_BYTES};
}

/// Activations and plan //////////////////////////////////////////////////////////////////////////

// Two int16 of any alignment: one load, unless the compiler is told that the core traps it.
static inline uint32_t load2(const int16_t values[]) {
    uint32_t two;
    __builtin_memcpy(&two, values, sizeof two);
    return two;
}

// narrow() of two int16: 128 added with saturation, then their upper bytes.
static inline uint32_t narrow2(uint32_t two) {
    uint32_t narrowed;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(narrowed) : "r"(__qadd16((int16x2_t)two, 0x00800080)));
    return narrowed;
}

// n values, narrowed and shifted left, to v. What pads v to 4 columns meets weights of 0.
static NOINLINE void expand(uint32_t v[], const int16_t values[], uint32_t n, uint8_t shift) {
    if (FAST && shift == 0) {
        for (; n >= 4; n -= 4, values += 4, v += 2) {
            const uint32_t first = load2(values), second = load2(values + 2);
            v[0] = narrow2(first);
            v[1] = narrow2(second);
        }
    }
    // the sign of the lower value would reach into the upper one, into bits that are to be 0
    const uint32_t mask = ~(((1u << shift) - 1) << 16);
    for (; n >= 2; n -= 2, values += 2) {
        *v++ = narrow2(load2(values)) << shift & mask;
    }
    if (n > 0) {
        *v = narrow2((uint16_t)*values) << shift & mask;
    }
}

static NOINLINE void expand16(uint32_t v[], const int16_t values[], uint32_t n) {
    for (; n >= 2; n -= 2, values += 2) {
        *v++ = load2(values);
    }
    if (n > 0) {
        *v = (uint16_t)*values;
    }
}

// Plan a gate over the columns from v to end.
static inline void plan(gate_plan *gate, const uint32_t *v, const uint32_t *end, uint8_t acc_shift,
                        product_steps product) {
    const uint32_t steps = (uint32_t)(end - v) / 2;
    gate->v = v;
    gate->acc_shift = acc_shift;
    gate->end = end;
    // the first round of steps leaves out those that are too many
    gate->code = product.code + (0 - steps) % STEPS * product.step_bytes;
}

// v lies behind the end of a plan of n gates.
static inline uint32_t *v_of(gate_plan gates[], uint32_t n) {
    return (uint32_t *)(void *)gates[n].acc;
}

// Expand v = [h | x].
static NOINLINE void expand_hx(const rnnedge_cell *cell, const int16_t h[], const int16_t x[],
                               uint32_t v[]) {
    expand(v, h, cell->units, cell->h_shift);
    v += rnnedge_padded(cell->units) / 2;
    if (cell->input_bits == 8) {
        expand(v, x, cell->inputs, cell->x_shift);
    } else {
        expand16(v, x, cell->inputs);
    }
}

// Plan n gates, `hx` of them over HX. If two remain, one goes over X, one over H (GRU, reset
// after); if one remains, it goes over XG (GRU, reset before).
static NOINLINE void plan_gates(const rnnedge_cell *cell, gate_plan *gate, uint32_t n,
                                uint32_t hx) {
    const uint32_t *const v = v_of(gate, n);
    cell->product(NULL, cell, v, RNNEDGE_PART_HX, 0, 0, gate->acc);
    const product_steps product = *(const product_steps *)(const void *)gate->acc;
    const uint32_t *const vx = v + rnnedge_padded(cell->units) / 2;
    const uint32_t *const end = vx + rnnedge_padded(cell->inputs) / 2;
    const uint8_t y = cell->acc_shift;
    gate_plan *const others = gate + hx;
    do {
        plan(gate, v, end, y, product);
    } while (++gate != others);
    if (n - hx == 2) { // reset() needs all bits of the accumulators
        plan(gate++, vx, end, 0, product);
        plan(gate++, v, vx, 0, product);
    } else if (n - hx == 1) {
        plan(gate++, vx, end + (vx - v), y, product);
    }
    gate->code = address(run_end);
}

// What all steps begin with; return the plan.
ALWAYS_INLINE gate_plan *prepare(const rnnedge_cell *cell, const int16_t h[], const int16_t x[],
                                 int32_t scratch[], uint32_t n, uint32_t hx) {
    gate_plan *const gates = (gate_plan *)(void *)scratch;
    expand_hx(cell, h, x, v_of(gates, n));
    plan_gates(cell, gates, n, hx);
    return gates;
}

/// Cells /////////////////////////////////////////////////////////////////////////////////////////
//
// A look-up leaves its result in the upper half of a word, whose lower half then means nothing:
// instructions with a shifted operand take it from there at no cost. `t` below is such a word.

// Constants that stay in registers.
typedef struct {
    int32_t one;   // 32768: a gate is (one + t) / 2
    int32_t round; // 128: half of what a look-up drops
} constants;

ALWAYS_INLINE int32_t held(int32_t constant) {
    __asm__("" : "+r"(constant));
    return constant;
}

// lookup(q): entry + ((d * f + 128) << 8). The entry's lowest byte does not reach the upper half.
ALWAYS_INLINE int32_t lookup(int32_t q, constants k) {
    int32_t i, entry, t;
    __asm__("ssat %0, #8, %1, asr #16" : "=r"(i) : "r"(q));
    __asm__("ldr %0, [%1, %2, lsl #2]" : "=r"(entry) : "r"(rnnedge_tanh_table + 128), "r"(i));
    const int32_t f = (q >> 8) & 255;
    __asm__("add %0, %1, %2, lsl #8" : "=r"(t) : "r"(entry), "r"(__smlabb(entry, f, k.round)));
    return t;
}

// blend(h, n, t)
ALWAYS_INLINE int16_t blend(int32_t h, int32_t n, int32_t t, constants k) {
    const uint32_t part = (uint32_t)(k.one - (t >> 16)) * (uint32_t)((n >> 16) - h);
    return (int16_t)((int32_t)(((uint32_t)h << 16) + (uint32_t)k.one + part) >> 16);
}

// gate(v, t)
ALWAYS_INLINE int32_t gate(int32_t v, int32_t t, constants k) {
    return (v * (k.one + (t >> 16)) + k.one) >> 16;
}

// Carry out the plan for each group of the units of `cell`, with its weights from w on, and then
// `statement` for each unit i of the group; `advance` goes to the next one.
#define EACH_GROUP(gates, statement, advance)                                                      \
    for (uint32_t left = cell->units;; left -= GROUP, advance) {                                   \
        w = run(w, gates);                                                                         \
        if (FAST && left >= GROUP) {                                                               \
            UNIT(0, statement)                                                                     \
            UNIT(1, statement)                                                                     \
            UNIT(2, statement)                                                                     \
            UNIT(3, statement)                                                                     \
        } else {                                                                                   \
            for (uint32_t i = 0; i < GROUP && i < left; i++) {                                     \
                statement;                                                                         \
            }                                                                                      \
        }                                                                                          \
        if (left <= GROUP) {                                                                       \
            break;                                                                                 \
        }                                                                                          \
    }

#define UNIT(index, statement)                                                                     \
    {                                                                                              \
        const uint32_t i = index;                                                                  \
        statement;                                                                                 \
    }

// gates: z, r, n over x, n over h
ALWAYS_INLINE void gru_after_unit(const gate_plan gates[], const uint8_t m[], int16_t h[],
                                  uint32_t i, uint8_t y, constants k) {
    const int32_t tz = lookup(gates[0].acc[i] * m[i], k);
    const int32_t tr = lookup(gates[1].acc[i] * m[GROUP + i], k);
    const int32_t nx = gates[2].acc[i], nh = gates[3].acc[i];
    const int32_t acc = __smlawt(nh, tr, nx + (nh >> 1));
    const int32_t n = lookup((acc >> y) * m[2 * GROUP + i], k);
    h[i] = blend(h[i], n, tz, k);
}

static NOINLINE void gru_after_units(const rnnedge_cell *cell, int16_t h[], gate_plan gates[]) {
    const void *w = cell->weights;
    const uint8_t *m = cell->multiplier;
    const uint8_t y = cell->acc_shift;
    const constants k = {held(32768), held(128)};
    EACH_GROUP(gates, gru_after_unit(gates, m, h, i, y, k), (h += GROUP, m += 3 * GROUP))
}

void rnnedge_gru_after_step(const rnnedge_cell *cell, int16_t h[], const int16_t x[],
                            int32_t scratch[]) {
    gru_after_units(cell, h, prepare(cell, h, x, scratch, 4, 2));
}

// gates: r
ALWAYS_INLINE void gru_reset_unit(const gate_plan gates[], const uint8_t m[], const int16_t h[],
                                  int16_t g[], uint32_t i, uint8_t shift, constants k) {
    const int32_t reset = gate(h[i], lookup(gates[0].acc[i] * m[i], k), k);
    g[i] = (int16_t)(rnnedge_narrow(reset) * (int32_t)(1u << shift));
}

// gates: z, n
ALWAYS_INLINE void gru_before_unit(const gate_plan gates[], const uint8_t m[], int16_t h[],
                                   uint32_t i, constants k) {
    const int32_t tz = lookup(gates[0].acc[i] * m[i], k);
    const int32_t n = lookup(gates[1].acc[i] * m[GROUP + i], k);
    h[i] = blend(h[i], n, tz, k);
}

static NOINLINE void gru_before_units(const rnnedge_cell *cell, int16_t h[], gate_plan gates[]) {
    const void *w = cell->weights;
    const uint8_t *m = cell->multiplier;
    const uint8_t shift = cell->h_shift;
    const constants k = {held(32768), held(128)};
    // r of all units first: a plan of the first gate only
    const uint32_t code = gates[1].code;
    const int16_t *of = h;
    int16_t *g = (int16_t *)(void *)gates[2].acc;
    g += rnnedge_padded(cell->units) + rnnedge_padded(cell->inputs);
    gates[1].code = address(run_end);
    EACH_GROUP(gates, gru_reset_unit(gates, m, of, g, i, shift, k),
               (of += GROUP, g += GROUP, m += GROUP))
    gates[1].code = code;
    m += GROUP;
    EACH_GROUP(gates, gru_before_unit(gates, m, h, i, k), (h += GROUP, m += 2 * GROUP))
}

void rnnedge_gru_before_step(const rnnedge_cell *cell, int16_t h[], const int16_t x[],
                             int32_t scratch[]) {
    gru_before_units(cell, h, prepare(cell, h, x, scratch, 2, 1));
}

// gates: i, f, g, o
ALWAYS_INLINE void lstm_unit(const gate_plan gates[], const uint8_t m[], int16_t h[], int16_t c[],
                             uint32_t i, uint8_t s, constants k) {
    const int32_t ti = lookup(gates[0].acc[i] * m[i], k);
    const int32_t tf = lookup(gates[1].acc[i] * m[GROUP + i], k);
    const int32_t g = lookup(gates[2].acc[i] * m[2 * GROUP + i], k);
    const int32_t to = lookup(gates[3].acc[i] * m[3 * GROUP + i], k);
    int32_t part, next;
    __asm__("smultb %0, %1, %2" : "=r"(part) : "r"(g), "r"((k.one + (ti >> 16)) >> 1));
    // |c| * 32767 + 32767^2 + 2^14 < 2^31
    const int32_t sum = __smlabb(c[i], (k.one + (tf >> 16)) >> 1, part >> s) + (1 << 14);
    __asm__("ssat %0, #16, %1, asr #15" : "=r"(next) : "r"(sum));
    const int32_t tc = lookup(next * (int32_t)(UINT32_C(32) << s) + k.round, k);
    c[i] = (int16_t)next;
    h[i] = (int16_t)gate(tc >> 16, to, k);
}

static NOINLINE void lstm_units(const rnnedge_cell *cell, int16_t h[], gate_plan gates[]) {
    const void *w = cell->weights;
    const uint8_t *m = cell->multiplier;
    const uint8_t s = cell->state_shift;
    const constants k = {held(32768), held(128)};
    int16_t *c = h + cell->units;
    EACH_GROUP(gates, lstm_unit(gates, m, h, c, i, s, k), (h += GROUP, c += GROUP, m += 4 * GROUP))
}

void rnnedge_lstm_step(const rnnedge_cell *cell, int16_t h[], const int16_t x[],
                       int32_t scratch[]) {
    lstm_units(cell, h, prepare(cell, h, x, scratch, 4, 4));
}

static NOINLINE void rnn_tanh_units(const rnnedge_cell *cell, int16_t h[], gate_plan gates[]) {
    const void *w = cell->weights;
    const uint8_t *m = cell->multiplier;
    const constants k = {held(32768), held(128)};
    EACH_GROUP(gates, h[i] = (int16_t)(lookup(gates[0].acc[i] * m[i], k) >> 16),
               (h += GROUP, m += GROUP))
}

void rnnedge_rnn_tanh_step(const rnnedge_cell *cell, int16_t h[], const int16_t x[],
                           int32_t scratch[]) {
    rnn_tanh_units(cell, h, prepare(cell, h, x, scratch, 1, 1));
}

// limit(q, 0, 32767)
ALWAYS_INLINE int16_t relu(int32_t q) {
    int32_t limited;
    __asm__("usat %0, #15, %1" : "=r"(limited) : "r"(q));
    return (int16_t)limited;
}

static NOINLINE void rnn_relu_units(const rnnedge_cell *cell, int16_t h[], gate_plan gates[]) {
    const void *w = cell->weights;
    const uint8_t *m = cell->multiplier;
    const uint32_t shift = 5u + cell->state_shift;
    EACH_GROUP(gates, h[i] = relu((gates[0].acc[i] * m[i]) >> shift), (h += GROUP, m += GROUP))
}

void rnnedge_rnn_relu_step(const rnnedge_cell *cell, int16_t h[], const int16_t x[],
                           int32_t scratch[]) {
    rnn_relu_units(cell, h, prepare(cell, h, x, scratch, 1, 1));
}

#endif
