/* avr_wide.c -- steps of wide layers on AVR: 32-bit accumulators, correct rather than fast.
 *
 * A model with such a layer names rnnedge_product_wide; here that is the whole step of any cell, so
 * that a model without one carries nothing of it.
 */
#include "../src/kernel.h"

#if RNNEDGE_KERNEL == RNNEDGE_KERNEL_AVR

#include "../src/flash.h"
#include "avr_asm.h"

void rnnedge_avr_wide(const rnnedge_cell *cell, int16_t h[], const int16_t x[], int32_t scratch[],
                      uint8_t kind) {
    rnnedge_product_fn *step = RNNEDGE_GETP(rnnedge_product_fn *, &cell->product);
    step((rnnedge_cursor *)(void *)h, cell, x, kind, 0, 0, scratch);
}

// narrow(value) + 128
static uint8_t narrow(int16_t value) {
    uint8_t low = (uint8_t)value, high = (uint8_t)((uint16_t)value >> 8);
    __asm__("subi %[high], 0x80\n\t"
            "lsl %[low]\n\t"
            "adc %[high], r1\n\t" // round; past 255 is 0
            "sbc %[high], r1\n\t" // and here 255 again
            : [low] "+r"(low), [high] "+d"(high));
    return high;
}

static void expand(rnnedge_v v[], const int16_t values[], uint16_t n, uint8_t shift) {
    for (uint16_t i = 0; i < n; i++) {
        v[i] = (int16_t)((uint16_t)(narrow(values[i]) - 128) << shift);
    }
}

static int32_t product(int16_t a, uint16_t b) {
    int32_t p;
    __asm__("mulsu %B[a], %B[b]\n\t"
            "movw %C[p], r0\n\t"
            "mul %A[a], %A[b]\n\t"
            "movw %A[p], r0\n\t"
            "mulsu %B[a], %A[b]\n\t"
            "sbc %D[p], %[zero]\n\t" // MULSU leaves the sign in C
            "add %B[p], r0\n\t"
            "adc %C[p], r1\n\t"
            "adc %D[p], %[zero]\n\t"
            "mul %A[a], %B[b]\n\t"
            "add %B[p], r0\n\t"
            "adc %C[p], r1\n\t"
            "adc %D[p], %[zero]\n\t"
            "clr r1\n\t"
            : [p] "=&r"(p)
            : [a] "a"(a), [b] "a"(b), [zero] "r"((uint8_t)0));
    return p;
}

// (acc >> 1) + ((acc * t) >> 16)
static int32_t reset_part(int32_t acc, int16_t t) {
    const uint16_t high = (uint16_t)((uint32_t)acc >> 16), low = (uint16_t)acc;
    // the upper half counts 2^16 less where it is negative
    const uint32_t less = ((uint32_t)(uint16_t)t << 16) & (uint32_t)(acc >> 31);
    return (acc >> 1) + (int32_t)((uint32_t)product(t, high) - less) + (product(t, low) >> 16);
}

// (acc >> y) * m
static int32_t preactivation(int32_t acc, uint8_t m, uint8_t y) {
    int32_t q;
    acc >>= y;
    __asm__("mul %A[acc], %[m]\n\t"
            "movw %A[q], r0\n\t"
            "mul %C[acc], %[m]\n\t"
            "movw %C[q], r0\n\t"
            "mul %B[acc], %[m]\n\t"
            "add %B[q], r0\n\t"
            "adc %C[q], r1\n\t"
            "adc %D[q], %[zero]\n\t"
            "mul %D[acc], %[m]\n\t"
            "add %D[q], r0\n\t"
            "clr r1\n\t"
            : [q] "=&r"(q)
            : [acc] "r"(acc), [m] "r"(m), [zero] "r"((uint8_t)0));
    return q;
}

// v limited to 0..32767
static int16_t limit(int32_t v) {
    __asm__("or %C[v], %D[v]\n\t"
            "sbrc %B[v], 7\n\t"
            "ldi %C[v], 1\n\t"
            "cpse %C[v], r1\n\t" // above 32767, or negative
            "ldi %B[v], 0x7f\n\t"
            "cpse %C[v], r1\n\t"
            "ldi %A[v], 0xff\n\t"
            "sbrc %D[v], 7\n\t"
            "ldi %B[v], 0\n\t"
            "sbrc %D[v], 7\n\t"
            "ldi %A[v], 0\n\t"
            : [v] "+d"(v));
    return (int16_t)v;
}

// Where the next row is, and what all rows share.
typedef struct {
    const uint8_t *stream;
    const int32_t *bias;
    uint8_t acc_shift;
    uint8_t scale; // of the last row
} reader;

// A row over two parts of v; its scale comes in front of its weights.
static int32_t row(reader *at, const rnnedge_v a[], uint16_t a_columns, const rnnedge_v b[],
                   uint16_t b_columns) {
    at->scale = RNNEDGE_GET8(at->stream++);
    int32_t acc = (int32_t)RNNEDGE_GET32(at->bias++); // partial sums are below 2^31, by the proof
    acc = rnnedge_avr_dot(acc, at->stream, a, a_columns);
    acc = rnnedge_avr_dot(acc, at->stream + a_columns, b, b_columns);
    at->stream += a_columns + b_columns;
    return acc;
}

static int32_t scaled(const reader *at, int32_t acc) {
    return preactivation(acc, at->scale, at->acc_shift);
}

// rnnedge_avr_wide says what comes as what.
void rnnedge_product_wide(rnnedge_cursor *state, const rnnedge_cell *cell, const void *input,
                          uint8_t kind, uint8_t no_gates, uint16_t no_units, int32_t scratch[]) {
    (void)no_gates, (void)no_units;
    int16_t *h = (int16_t *)(void *)state;
    const int16_t *x = (const int16_t *)input;
    const uint16_t units = RNNEDGE_GET16(&cell->units), inputs = RNNEDGE_GET16(&cell->inputs);
    const uint8_t h_shift = RNNEDGE_GET8(&cell->h_shift), s = RNNEDGE_GET8(&cell->state_shift);
    rnnedge_v *v = (rnnedge_v *)scratch, *vx = v + units, *g = vx + inputs;
    expand(v, h, units, h_shift);
    if (RNNEDGE_GET8(&cell->input_bits) == 8) {
        expand(vx, x, inputs, RNNEDGE_GET8(&cell->x_shift));
    } else {
        for (uint16_t i = 0; i < inputs; i++) {
            vx[i] = x[i];
        }
    }
    reader at = {RNNEDGE_GETP(const uint8_t *, &cell->weights),
                 RNNEDGE_GETP(const int32_t *, &cell->bias), RNNEDGE_GET8(&cell->acc_shift), 0};
    if (kind == RNNEDGE_AVR_GRU_BEFORE) {
        for (uint16_t i = 0; i < units; i++) {
            const int32_t q = scaled(&at, row(&at, v, units, vx, inputs));
            const int16_t reset = rnnedge_avr_gate(h[i], rnnedge_avr_lookup(q));
            expand(&g[i], &reset, 1, h_shift);
        }
    }
    for (uint16_t i = 0; i < units; i++) {
        const int32_t acc = row(&at, v, units, vx, inputs), q = scaled(&at, acc);
        rnnedge_v t[4] = {rnnedge_avr_lookup(q), 0, 0, 0};
        if (kind == RNNEDGE_AVR_GRU_AFTER) {
            const int32_t r = scaled(&at, row(&at, v, units, vx, inputs));
            const int16_t tr = rnnedge_avr_lookup(r);
            const int32_t nx = row(&at, vx, inputs, v, 0);
            const int32_t n = nx + reset_part(row(&at, v, units, v, 0), tr);
            h[i] = rnnedge_avr_blend(h[i], rnnedge_avr_lookup(scaled(&at, n)), t[0]);
        } else if (kind == RNNEDGE_AVR_GRU_BEFORE) {
            const int32_t n = scaled(&at, row(&at, vx, inputs, g, units));
            h[i] = rnnedge_avr_blend(h[i], rnnedge_avr_lookup(n), t[0]);
        } else if (kind == RNNEDGE_AVR_LSTM) {
            for (uint8_t gate = 1; gate < 4; gate++) {
                t[gate] = rnnedge_avr_lookup(scaled(&at, row(&at, v, units, vx, inputs)));
            }
            rnnedge_avr_lstm_update(t, &h[i], &h[units + i], 1, s);
        } else {
            h[i] = kind == RNNEDGE_AVR_RNN_TANH ? t[0] : limit(q >> (5 + s));
        }
    }
}

#endif
