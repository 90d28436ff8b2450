/* gru.c -- one step of a GRU; rnnedge/simulator/gru.py is its twin.
 *
 *     z = sigmoid(Wz x + Uz h + bz)          r = sigmoid(Wr x + Ur h + br)
 *     n = tanh(Wn x + bn + r (Un h + cn))    reset after
 *     n = tanh(Wn x + Un (r h) + bn)         reset before
 *     h = h + (1 - z)(n - h)
 *
 * Cho et al. 2014 (arXiv 1406.1078), Keras' gate order and names; n is Keras' candidate "h".
 */
#include "kernel.h"

#ifndef RNNEDGE_OWN_GRU

// r * h takes the place of the accumulators.
typedef int16_t RNNEDGE_MAY_ALIAS rnnedge_reset_state;

void rnnedge_gru_after_step(const rnnedge_cell *cell, int16_t h[], const int16_t x[],
                            int32_t scratch[]) {
    const rnnedge_v *v = rnnedge_expand_hx(cell, h, x, scratch, 4);
    rnnedge_cursor at = {cell->weights, cell->bias};
    const uint8_t *m = cell->multiplier;
    const uint8_t y = cell->acc_shift;
    for (uint16_t first = 0; first < cell->units; first = (uint16_t)(first + RNNEDGE_BLOCK)) {
        const uint16_t units = rnnedge_block(cell, first);
        const uint16_t stride = rnnedge_stride(units);
        const int32_t *z = scratch, *r = z + stride;
        int32_t *nx = scratch + 2 * stride, *nh = nx + stride;
        cell->product(&at, cell, v, RNNEDGE_PART_HX, 2, units, scratch);
        cell->product(&at, cell, v, RNNEDGE_PART_X, 1, units, nx);
        cell->product(&at, cell, v, RNNEDGE_PART_H, 1, units, nh);
        for (uint16_t i = 0; i < units; i++) {
            const int32_t tz = rnnedge_lookup(rnnedge_preactivation(z[i], m[i], y));
            const int32_t tr = rnnedge_lookup(rnnedge_preactivation(r[i], m[stride + i], y));
            const int32_t acc = nx[i] + rnnedge_reset_part(nh[i], tr);
            const int32_t n = rnnedge_lookup(rnnedge_preactivation(acc, m[2 * stride + i], y));
            h[first + i] = rnnedge_blend(h[first + i], n, tz);
        }
        m += 3 * stride;
    }
}

void rnnedge_gru_before_step(const rnnedge_cell *cell, int16_t h[], const int16_t x[],
                             int32_t scratch[]) {
    rnnedge_v *v = rnnedge_expand_hx(cell, h, x, scratch, 2);
    rnnedge_v *g = v + rnnedge_padded(cell->units) + rnnedge_padded(cell->inputs);
    rnnedge_cursor at = {cell->weights, cell->bias};
    const uint8_t *m = cell->multiplier;
    const uint8_t y = cell->acc_shift;
    for (uint16_t first = 0; first < cell->units; first = (uint16_t)(first + RNNEDGE_BLOCK)) {
        const uint16_t units = rnnedge_block(cell, first);
        rnnedge_reset_state *reset = (rnnedge_reset_state *)scratch;
        cell->product(&at, cell, v, RNNEDGE_PART_HX, 1, units, scratch);
        for (uint16_t i = 0; i < units; i++) {
            const int32_t tr = rnnedge_lookup(rnnedge_preactivation(scratch[i], m[i], y));
            reset[i] = (int16_t)rnnedge_gate(h[first + i], tr);
        }
        rnnedge_expand(g + first, reset, units, cell->h_shift);
        m += rnnedge_stride(units);
    }
    for (uint16_t first = 0; first < cell->units; first = (uint16_t)(first + RNNEDGE_BLOCK)) {
        const uint16_t units = rnnedge_block(cell, first);
        const uint16_t stride = rnnedge_stride(units);
        const int32_t *z = scratch;
        int32_t *acc = scratch + stride;
        cell->product(&at, cell, v, RNNEDGE_PART_HX, 1, units, scratch);
        cell->product(&at, cell, v, RNNEDGE_PART_XG, 1, units, acc);
        for (uint16_t i = 0; i < units; i++) {
            const int32_t tz = rnnedge_lookup(rnnedge_preactivation(z[i], m[i], y));
            const int32_t n = rnnedge_lookup(rnnedge_preactivation(acc[i], m[stride + i], y));
            h[first + i] = rnnedge_blend(h[first + i], n, tz);
        }
        m += 2 * stride;
    }
}

#endif
