/* quad_v6m_steps.c -- the cells on Thumb-1: few registers want one thing at a time.
 *
 * The same steps as in src/gru.c, lstm.c and rnn.c, but the look-ups of a whole array of
 * accumulators are one loop in assembler, and what is left of a unit are short loops.
 */
#include "../src/kernel.h"

#if RNNEDGE_KERNEL == RNNEDGE_KERNEL_QUAD && defined(RNNEDGE_QUAD_V6M)

#define UNUSED __attribute__((unused))

#ifdef __OPTIMIZE_SIZE__
#define ROUND 1
#else
#define ROUND 4
#endif
#define STRING_(text) #text
#define STRING(text) STRING_(text)

// clang-format off

// One look-up; q in r1, index and entry in r4.
#define LOOKUP(m)                                                                            \
    "ldr    r1, [r0]\n"                                                                      \
    "ldrb   r4, [r2, #" m "]\n"                                                              \
    "asrs   r1, r1, r3\n"                                                                    \
    "muls   r1, r4, r1\n"                                                                    \
    "asrs   r4, r1, #16\n"                                                                   \
    "subs   r4, #127\n"                                                                      \
    "asrs   r5, r4, #31\n"                                                                   \
    "ands   r4, r4, r5\n"                                                                    \
    "adds   r4, #255\n"                                                                      \
    "asrs   r5, r4, #31\n"                                                                   \
    "bics   r4, r4, r5\n"                                                                    \
    "lsls   r4, r4, #2\n"                                                                    \
    "ldr    r4, [r7, r4]\n"                                                                  \
    "ands   r1, r1, r6\n"                                                                    \
    "uxth   r5, r4\n"                                                                        \
    "muls   r1, r5, r1\n"                                                                    \
    "add    r4, lr\n"                                                                        \
    "adds   r4, r4, r1\n"                                                                    \
    "asrs   r4, r4, #16\n"                                                                   \
    "stm    r0!, {r4}\n"

// acc = lookup(preactivation(acc, m, y)) for acc..end, a multiple of 4.
//
// r6 and lr: 0xFF00 and 0x8000; r7 the table; r12 the end.
__attribute__((naked, noinline)) static void
lookups(int32_t *acc UNUSED, const int32_t *end UNUSED, const uint8_t *m UNUSED, uint32_t y UNUSED,
        const int32_t *table UNUSED) {
    __asm__ volatile(
        ".syntax unified\n"
        "push   {r4-r7, lr}\n"
        "ldr    r7, [sp, #20]\n"
        "mov    r12, r1\n"
        "movs   r6, #128\n"
        "lsls   r6, r6, #8\n"
        "mov    lr, r6\n"
        "movs   r6, #255\n"
        "lsls   r6, r6, #8\n"
        "1:\n"
        LOOKUP("0")
#if ROUND == 4
        LOOKUP("1") LOOKUP("2") LOOKUP("3")
#endif
        "adds   r2, #" STRING(ROUND) "\n"
        "cmp    r0, r12\n"
        "bne    1b\n"
        "pop    {r4-r7, pc}\n");
}

// clang-format on

static void activate(int32_t *acc, const int32_t *end, const uint8_t *m, uint32_t y) {
    lookups(acc, end, m, y, rnnedge_tanh_table);
}

// A constant in a register: gcc would make it anew wherever it is used.
static inline int32_t opaque(int32_t constant) {
    __asm__("" : "+r"(constant));
    return constant;
}

// h = blend(h, n, z) of n..end.
static inline void blend(int16_t *h, const int32_t *n, const int32_t *end, const int32_t *z) {
    const uint32_t half = (uint32_t)opaque(0x8000);
    for (; n != end; h++) {
        // (h + n) / 2 + t (h - n) / 2
        const int32_t old = *h, next = *n++;
        const uint32_t twice = ((uint32_t)(old + next) << 15) + half;
        *h = (int16_t)((int32_t)(twice - (uint32_t)*z++ * (uint32_t)(next - old)) >> 16);
    }
}

void rnnedge_gru_after_step(const rnnedge_cell *cell, int16_t h[], const int16_t x[],
                            int32_t scratch[]) {
    const rnnedge_v *v = rnnedge_expand_hx(cell, h, x, scratch, 4);
    rnnedge_cursor at = {cell->weights, cell->bias};
    const uint8_t *m = cell->multiplier;
    const uint8_t y = cell->acc_shift;
    for (uint16_t first = 0; first < cell->units; first = (uint16_t)(first + RNNEDGE_BLOCK)) {
        const uint16_t units = rnnedge_block(cell, first);
        const uint16_t stride = rnnedge_stride(units);
        int32_t *z = scratch, *r = z + stride, *nx = r + stride, *nh = nx + stride;
        cell->product(&at, cell, v, RNNEDGE_PART_HX, 2, units, z);
        cell->product(&at, cell, v, RNNEDGE_PART_X, 1, units, nx);
        cell->product(&at, cell, v, RNNEDGE_PART_H, 1, units, nh);
        activate(z, nx, m, y);
        m += 2 * stride;
        for (int32_t *n = nx, *const end = nh; n != end; n++) {
            *n += rnnedge_reset_part(*nh++, *r++);
        }
        activate(nx, nx + stride, m, y);
        m += stride;
        blend(h + first, nx, nx + units, z);
    }
}

void rnnedge_gru_before_step(const rnnedge_cell *cell, int16_t h[], const int16_t x[],
                             int32_t scratch[]) {
    rnnedge_v *const v = rnnedge_expand_hx(cell, h, x, scratch, 2);
    rnnedge_v *gated = v + cell->units + cell->inputs;
    const int32_t unit = (int32_t)(1u << cell->h_shift);
    rnnedge_cursor at = {cell->weights, cell->bias};
    const uint8_t *m = cell->multiplier;
    const uint8_t y = cell->acc_shift;
    for (uint16_t first = 0; first < cell->units; first = (uint16_t)(first + RNNEDGE_BLOCK)) {
        const uint16_t units = rnnedge_block(cell, first);
        const uint16_t stride = rnnedge_stride(units);
        cell->product(&at, cell, v, RNNEDGE_PART_HX, 1, units, scratch);
        activate(scratch, scratch + stride, m, y);
        for (uint16_t i = 0; i < units; i++) {
            *gated++ = rnnedge_narrow(rnnedge_gate(h[first + i], scratch[i])) * unit;
        }
        m += stride;
    }
    for (uint16_t first = 0; first < cell->units; first = (uint16_t)(first + RNNEDGE_BLOCK)) {
        const uint16_t units = rnnedge_block(cell, first);
        const uint16_t stride = rnnedge_stride(units);
        int32_t *const n = scratch + stride;
        cell->product(&at, cell, v, RNNEDGE_PART_HX, 1, units, scratch);
        cell->product(&at, cell, v, RNNEDGE_PART_XG, 1, units, n);
        activate(scratch, n + stride, m, y);
        m += 2 * stride;
        blend(h + first, n, n + units, scratch);
    }
}

void rnnedge_lstm_step(const rnnedge_cell *cell, int16_t h[], const int16_t x[],
                       int32_t scratch[]) {
    const rnnedge_v *v = rnnedge_expand_hx(cell, h, x, scratch, 4);
    int16_t *c = h + cell->units;
    rnnedge_cursor at = {cell->weights, cell->bias};
    const uint8_t *m = cell->multiplier;
    const uint8_t y = cell->acc_shift, s = cell->state_shift;
    for (uint16_t first = 0; first < cell->units; first = (uint16_t)(first + RNNEDGE_BLOCK)) {
        const uint16_t units = rnnedge_block(cell, first);
        const uint16_t stride = rnnedge_stride(units);
        const int32_t top = opaque(32768), quarter = opaque(16384);
        const int32_t unit = (int32_t)(UINT32_C(32) << s);
        int32_t *i = scratch;
        cell->product(&at, cell, v, RNNEDGE_PART_HX, 4, units, scratch);
        activate(scratch, scratch + 4 * stride, m, y);
        m += 4 * stride;
        for (const int32_t *const last = i + units; i != last; i++, c++) {
            // |c| * 32767 + 32767^2 + 2^14 < 2^31
            const int32_t ti = (*i + top) >> 1, tf = (i[stride] + top) >> 1;
            const int32_t sum = *c * tf + ((i[2 * stride] * ti) >> s) + quarter;
            const int32_t next = rnnedge_sat16(sum >> 15);
            *c = (int16_t)next;
            *i = next * unit + 128;
        }
        i = scratch;
        for (const int32_t *const last = i + units; i != last; i++) {
            *h++ = (int16_t)rnnedge_gate(rnnedge_lookup(*i), i[3 * stride]);
        }
    }
}

static void products(const rnnedge_cell *cell, int16_t h[], const int16_t x[], int32_t scratch[],
                     int relu_shift) {
    const rnnedge_v *v = rnnedge_expand_hx(cell, h, x, scratch, 1);
    rnnedge_cursor at = {cell->weights, cell->bias};
    const uint8_t *m = cell->multiplier;
    const uint8_t y = cell->acc_shift;
    for (uint16_t first = 0; first < cell->units; first = (uint16_t)(first + RNNEDGE_BLOCK)) {
        const uint16_t units = rnnedge_block(cell, first);
        const uint16_t stride = rnnedge_stride(units);
        cell->product(&at, cell, v, RNNEDGE_PART_HX, 1, units, scratch);
        if (relu_shift < 0) {
            activate(scratch, scratch + stride, m, y);
        }
        for (uint16_t i = 0; i < units; i++) {
            int32_t next = scratch[i];
            if (relu_shift >= 0) {
                next = rnnedge_preactivation(next, m[i], y) >> relu_shift;
                next = rnnedge_sat16(next & ~rnnedge_sign(next));
            }
            *h++ = (int16_t)next;
        }
        m += stride;
    }
}

void rnnedge_rnn_tanh_step(const rnnedge_cell *cell, int16_t h[], const int16_t x[],
                           int32_t scratch[]) {
    products(cell, h, x, scratch, -1);
}

void rnnedge_rnn_relu_step(const rnnedge_cell *cell, int16_t h[], const int16_t x[],
                           int32_t scratch[]) {
    products(cell, h, x, scratch, 5 + cell->state_shift);
}

#endif
