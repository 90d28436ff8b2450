/* rnn.c -- one step of a vanilla RNN; rnnedge/simulator/rnn.py is its twin.
 *
 *     h = tanh(W x + U h + b)   or   h = relu(W x + U h + b)
 *
 * Elman 1990.
 */
#include "kernel.h"

#ifndef RNNEDGE_OWN_RNN

// relu_shift: -1 for tanh, else what takes a pre-activation to the state's unit.
static void step(const rnnedge_cell *cell, int16_t h[], const int16_t x[], int32_t scratch[],
                 int relu_shift) {
    const rnnedge_v *v = rnnedge_expand_hx(cell, h, x, scratch, 1);
    rnnedge_cursor at = {cell->weights, cell->bias};
    const uint8_t *m = cell->multiplier;
    const uint8_t y = cell->acc_shift;
    for (uint16_t first = 0; first < cell->units; first = (uint16_t)(first + RNNEDGE_BLOCK)) {
        const uint16_t units = rnnedge_block(cell, first);
        cell->product(&at, cell, v, RNNEDGE_PART_HX, 1, units, scratch);
        for (uint16_t i = 0; i < units; i++) {
            const int32_t q = rnnedge_preactivation(scratch[i], m[i], y);
            const int32_t next =
                relu_shift < 0 ? rnnedge_lookup(q) : rnnedge_clamp(q >> relu_shift, 0, INT16_MAX);
            h[first + i] = (int16_t)next;
        }
        m += rnnedge_stride(units);
    }
}

void rnnedge_rnn_tanh_step(const rnnedge_cell *cell, int16_t h[], const int16_t x[],
                           int32_t scratch[]) {
    step(cell, h, x, scratch, -1);
}

void rnnedge_rnn_relu_step(const rnnedge_cell *cell, int16_t h[], const int16_t x[],
                           int32_t scratch[]) {
    step(cell, h, x, scratch, 5 + cell->state_shift);
}

#endif
