/* dense.c -- the output head; rnnedge/simulator/dense.py is its twin. */
#include "fixed.h"

void rnnedge_dense_run(const rnnedge_dense *dense, int32_t scores[], const int16_t x[]) {
    for (uint16_t row = 0; row < dense->units; row++) {
        const int8_t *w = dense->w + (uint32_t)row * dense->inputs;
        const int32_t acc = dense->bias[row] + rnnedge_dot16(w, x, dense->inputs);
        scores[row] = rnnedge_scale(acc, dense->multiplier[row], 16);
    }
}
