/* gru.c -- one step of a GRU; rnnedge/simulator/gru.py is its twin.
 *
 *     z = sigmoid(Wz x + Uz h + bz)          r = sigmoid(Wr x + Ur h + br)
 *     n = tanh(Wn x + bn + r (Un h + cn))    reset_after
 *     n = tanh(Wn x + Un (r h) + bn)         else
 *     h = h + (1 - z)(n - h)
 *
 * Cho et al. 2014 (arXiv 1406.1078), Keras' gate order and names; n is Keras' candidate "h".
 */
#include "fixed.h"

// What a step reads: the input and the state as the matrix products see them.
typedef struct {
    const int16_t *x16; // (inputs)
    int8_t *x8;         // (inputs), narrowed; used if input_bits is 8
    int8_t *h8;         // (units), narrowed state before the step
    int8_t *g8;         // (units), narrowed r * h; used without reset_after
} operands;

// Lay the operands out in scratch: bytes x8 (if needed), h8, g8.
static operands expand(const rnnedge_gru *gru, const int16_t h[], const int16_t x[],
                       int16_t scratch[]) {
    operands op;
    op.x16 = x;
    op.x8 = (int8_t *)scratch;
    op.h8 = op.x8 + (gru->input_bits == 8 ? gru->inputs : 0);
    op.g8 = op.h8 + gru->units;
    if (gru->input_bits == 8) {
        for (uint16_t i = 0; i < gru->inputs; i++) {
            op.x8[i] = rnnedge_narrow(x[i]);
        }
    }
    for (uint16_t i = 0; i < gru->units; i++) {
        op.h8[i] = rnnedge_narrow(h[i]);
    }
    return op;
}

// W x of one row, in accumulator format.
static int32_t input_dot(const rnnedge_gru *gru, const operands *op, uint16_t row) {
    const int8_t *w = gru->w + (uint32_t)row * gru->inputs;
    const int32_t acc = gru->input_bits == 8 ? rnnedge_dot8(w, op->x8, gru->inputs)
                                             : rnnedge_dot16(w, op->x16, gru->inputs);
    return rnnedge_shl(acc, gru->input_shift);
}

// U v of one row, in accumulator format.
static int32_t state_dot(const rnnedge_gru *gru, const int8_t v[], uint16_t row) {
    return rnnedge_dot8(gru->u + (uint32_t)row * gru->units, v, gru->units);
}

// Accumulator of one row to Q3.12.
static int32_t finish(const rnnedge_gru *gru, int32_t acc, uint16_t row) {
    return rnnedge_requant(gru->bias[row] + acc, gru->multiplier[row], gru->shift);
}

// sigmoid of one row's accumulator, Q0.15.
static int32_t gate(const rnnedge_gru *gru, int32_t acc, uint16_t row) {
    return rnnedge_lookup(rnnedge_sigmoid_table, finish(gru, acc, row));
}

// h + (1 - z)(n - h), rounded once; lies between h and n.
static int16_t update(int32_t h, int32_t z, int32_t n) {
    return (int16_t)(h + rnnedge_mul_q15(32768 - z, n - h));
}

void rnnedge_gru_step_after(const void *params, int16_t h[], const int16_t x[], int16_t scratch[]) {
    const rnnedge_gru *gru = (const rnnedge_gru *)params;
    const uint16_t units = gru->units;
    const operands op = expand(gru, h, x, scratch);
    for (uint16_t i = 0; i < units; i++) {
        const uint16_t r_row = (uint16_t)(units + i);
        const uint16_t n_row = (uint16_t)(2 * units + i);
        int32_t u[3]; // U h of the rows z, r, n
        rnnedge_dot8x3(u, gru->u + (uint32_t)i * units, (uint32_t)units * units, op.h8, units);
        const int32_t z = gate(gru, input_dot(gru, &op, i) + u[0], i);
        const int32_t r = gate(gru, input_dot(gru, &op, r_row) + u[1], r_row);
        const int32_t a = finish(gru, input_dot(gru, &op, n_row), n_row);
        // n's recurrent part has rows of its own, the fourth block of bias and multiplier
        const int32_t b = finish(gru, u[2], (uint16_t)(n_row + units));
        const int32_t p = rnnedge_sat16(a + rnnedge_mul_q15(r, b));
        h[i] = update(h[i], z, rnnedge_lookup(rnnedge_tanh_table, p));
    }
}

void rnnedge_gru_step_before(const void *params, int16_t h[], const int16_t x[],
                             int16_t scratch[]) {
    const rnnedge_gru *gru = (const rnnedge_gru *)params;
    const uint16_t units = gru->units;
    const operands op = expand(gru, h, x, scratch);
    for (uint16_t i = 0; i < units; i++) {
        const uint16_t row = (uint16_t)(units + i);
        const int32_t r = gate(gru, input_dot(gru, &op, row) + state_dot(gru, op.h8, row), row);
        op.g8[i] = rnnedge_narrow(rnnedge_mul_q15(r, h[i]));
    }
    for (uint16_t i = 0; i < units; i++) {
        const uint16_t row = (uint16_t)(2 * units + i);
        const int32_t z = gate(gru, input_dot(gru, &op, i) + state_dot(gru, op.h8, i), i);
        const int32_t acc = input_dot(gru, &op, row) + state_dot(gru, op.g8, row);
        h[i] = update(h[i], z, rnnedge_lookup(rnnedge_tanh_table, finish(gru, acc, row)));
    }
}
