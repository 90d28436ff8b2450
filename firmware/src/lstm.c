/* lstm.c -- one step of an LSTM; rnnedge/simulator/lstm.py is its twin.
 *
 *     i, f, o = sigmoid(W x + U h + b)       g = tanh(Wg x + Ug h + bg)
 *     c = f c + i g                          h = o tanh(c)
 *
 * Hochreiter and Schmidhuber 1997, Gers et al. 2000, Keras' gate order; g is Keras' candidate "c".
 */
#include "kernel.h"

#ifndef RNNEDGE_OWN_LSTM

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
        const int32_t *ai = scratch, *af = ai + stride, *ag = af + stride, *ao = ag + stride;
        const uint8_t *mf = m + stride, *mg = mf + stride, *mo = mg + stride;
        cell->product(&at, cell, v, RNNEDGE_PART_HX, 4, units, scratch);
        for (uint16_t k = 0; k < units; k++) {
            const int32_t ti = rnnedge_lookup(rnnedge_preactivation(ai[k], m[k], y));
            const int32_t tf = rnnedge_lookup(rnnedge_preactivation(af[k], mf[k], y));
            const int32_t g = rnnedge_lookup(rnnedge_preactivation(ag[k], mg[k], y));
            const int32_t to = rnnedge_lookup(rnnedge_preactivation(ao[k], mo[k], y));
            // |c| * 32767 + 32767^2 + 2^14 < 2^31
            const int32_t sum = c[first + k] * rnnedge_half(tf) + ((g * rnnedge_half(ti)) >> s);
            const int32_t next = rnnedge_sat16((sum + (1 << 14)) >> 15);
            const int32_t tc = rnnedge_lookup(next * (int32_t)(UINT32_C(32) << s) + 128);
            c[first + k] = (int16_t)next;
            h[first + k] = (int16_t)rnnedge_gate(tc, to);
        }
        m += 4 * stride;
    }
}

#endif
