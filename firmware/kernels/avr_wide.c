/* avr_wide.c -- steps of wide layers on AVR: 32-bit accumulators, plain C, correct rather than
 * fast.
 *
 * A model with such a layer names rnnedge_product_wide; here that is the whole step of any cell, so
 * that a model without one carries nothing of it.
 */
#include "../src/kernel.h"

#if RNNEDGE_KERNEL == RNNEDGE_KERNEL_AVR

#include "../src/flash.h"

// The state, handed over in front of v.
typedef struct {
    int16_t *h;
    const int16_t *x;
} hand;

void rnnedge_avr_wide(const rnnedge_cell *cell, int16_t h[], const int16_t x[], int32_t scratch[],
                      uint8_t kind) {
    rnnedge_product_fn *step = RNNEDGE_GETP(rnnedge_product_fn *, &cell->product);
    hand *given = (hand *)scratch;
    given->h = h;
    given->x = x;
    step((rnnedge_cursor *)0, cell, (const void *)0, kind, 0, 0, scratch);
}

// Where the next row is, and what all rows share.
typedef struct {
    const uint8_t *stream;
    const int32_t *bias;
    uint8_t acc_shift;
} reader;

// Accumulator of a row over two parts of v; the scale comes in front of the weights.
static int32_t row(reader *at, uint8_t *scale, const int16_t a[], uint16_t a_columns,
                   const int16_t b[], uint16_t b_columns) {
    *scale = RNNEDGE_GET8(at->stream++);
    int32_t acc = (int32_t)RNNEDGE_GET32(at->bias++); // partial sums are below 2^31, by the proof
    for (uint16_t i = 0; i < a_columns; i++) {
        acc += (int32_t)(int8_t)RNNEDGE_GET8(at->stream++) * a[i];
    }
    for (uint16_t i = 0; i < b_columns; i++) {
        acc += (int32_t)(int8_t)RNNEDGE_GET8(at->stream++) * b[i];
    }
    return acc;
}

static int32_t q_of(const reader *at, int32_t acc, uint8_t scale) {
    return rnnedge_preactivation(acc, scale, at->acc_shift);
}

void rnnedge_product_wide(rnnedge_cursor *unused, const rnnedge_cell *cell, const void *none,
                          uint8_t kind, uint8_t gates, uint16_t no_units, int32_t scratch[]) {
    (void)unused, (void)none, (void)gates, (void)no_units;
    const hand given = *(const hand *)scratch;
    int16_t *h = given.h;
    const uint16_t units = RNNEDGE_GET16(&cell->units), inputs = RNNEDGE_GET16(&cell->inputs);
    int16_t *v = (int16_t *)(scratch + sizeof(hand) / 4), *vx = v + units;
    int16_t *g = vx + inputs, *z = g + units;
    const uint8_t h_shift = RNNEDGE_GET8(&cell->h_shift), s = RNNEDGE_GET8(&cell->state_shift);
    rnnedge_expand(v, h, units, h_shift);
    if (RNNEDGE_GET8(&cell->input_bits) == 8) {
        rnnedge_expand(vx, given.x, inputs, RNNEDGE_GET8(&cell->x_shift));
    } else {
        rnnedge_expand16(vx, given.x, inputs);
    }
    reader at = {RNNEDGE_GETP(const uint8_t *, &cell->weights),
                 RNNEDGE_GETP(const int32_t *, &cell->bias), RNNEDGE_GET8(&cell->acc_shift)};
    uint8_t m;
    if (kind == RNNEDGE_AVR_GRU_BEFORE) {
        for (uint16_t i = 0; i < units; i++) {
            const int32_t acc = row(&at, &m, v, units, vx, inputs);
            const int16_t reset = (int16_t)rnnedge_gate(h[i], rnnedge_lookup(q_of(&at, acc, m)));
            rnnedge_expand(&g[i], &reset, 1, h_shift);
        }
    }
    (void)z;
    int16_t *c = h + units;
    for (uint16_t i = 0; i < units; i++) {
        if (kind == RNNEDGE_AVR_GRU_AFTER || kind == RNNEDGE_AVR_GRU_BEFORE) {
            int32_t acc = row(&at, &m, v, units, vx, inputs);
            const int32_t tz = rnnedge_lookup(q_of(&at, acc, m));
            if (kind == RNNEDGE_AVR_GRU_AFTER) {
                acc = row(&at, &m, v, units, vx, inputs);
                const int32_t tr = rnnedge_lookup(q_of(&at, acc, m));
                acc = row(&at, &m, vx, inputs, v, 0);
                acc += rnnedge_reset_part(row(&at, &m, v, units, v, 0), tr);
            } else {
                acc = row(&at, &m, vx, inputs, g, units);
            }
            h[i] = rnnedge_blend(h[i], rnnedge_lookup(q_of(&at, acc, m)), tz);
        } else if (kind == RNNEDGE_AVR_LSTM) {
            int32_t t[4];
            for (uint8_t gate = 0; gate < 4; gate++) {
                const int32_t acc = row(&at, &m, v, units, vx, inputs);
                t[gate] = rnnedge_lookup(q_of(&at, acc, m));
            }
            // |c| * 32767 + 32767^2 + 2^14 < 2^31
            const int32_t sum = c[i] * rnnedge_half(t[1]) + ((t[2] * rnnedge_half(t[0])) >> s);
            const int32_t next = rnnedge_sat16((sum + (1 << 14)) >> 15);
            const int32_t tc = rnnedge_lookup(next * (int32_t)(UINT32_C(32) << s) + 128);
            c[i] = (int16_t)next;
            h[i] = (int16_t)rnnedge_gate(tc, t[3]);
        } else {
            const int32_t acc = row(&at, &m, v, units, vx, inputs);
            const int32_t q = q_of(&at, acc, m);
            h[i] =
                (int16_t)(kind == RNNEDGE_AVR_RNN_TANH ? rnnedge_lookup(q)
                                                       : rnnedge_clamp(q >> (5 + s), 0, INT16_MAX));
        }
    }
}

#endif
