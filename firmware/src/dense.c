/* dense.c -- dense layers and softmax; rnnedge/simulator/dense.py is their twin. */
#include "dense.h"

#include "fixed.h"
#include "flash.h"

// The int32 outputs of one row.
static int32_t row_score(const rnnedge_dense *dense, uint16_t row, const int16_t x[]) {
    const uint16_t inputs = RNNEDGE_GET16(&dense->inputs);
    const int8_t *w = RNNEDGE_GETP(const int8_t *, &dense->w) + (uint32_t)row * inputs;
    const int32_t *bias = RNNEDGE_GETP(const int32_t *, &dense->bias) + row;
    const int16_t *multiplier = RNNEDGE_GETP(const int16_t *, &dense->multiplier) + row;
    int32_t acc = (int32_t)RNNEDGE_GET32(bias); // partial sums are below 2^31, by the proof
    for (uint16_t i = 0; i < inputs; i++) {
        acc += (int32_t)(int8_t)RNNEDGE_GET8(&w[i]) * x[i];
    }
    return rnnedge_scale(acc, (int16_t)RNNEDGE_GET16(multiplier));
}

// y (out, int16_t[units]) of x (in, int16_t[inputs]): a layer that feeds another one.
static void hidden(const rnnedge_dense *dense, int16_t y[], const int16_t x[]) {
    const uint16_t units = RNNEDGE_GET16(&dense->units);
    const int32_t low = RNNEDGE_GET8(&dense->relu) != 0 ? 0 : INT16_MIN;
    for (uint16_t row = 0; row < units; row++) {
        y[row] = (int16_t)rnnedge_clamp(row_score(dense, row, x), low, INT16_MAX);
    }
}

void rnnedge_dense_all(const rnnedge_model *model, int32_t scores[], const int16_t x[],
                       int32_t scratch[]) {
    const rnnedge_dense *dense = RNNEDGE_GETP(const rnnedge_dense *, &model->dense);
    int16_t *y = (int16_t *)(void *)scratch;
    for (uint8_t left = RNNEDGE_GET8(&model->n_dense); left > 1; left--) {
        hidden(dense, y, x);
        x = y;
        y += RNNEDGE_GET16(&dense->units);
        dense++;
    }
    const uint16_t units = RNNEDGE_GET16(&dense->units);
    for (uint16_t row = 0; row < units; row++) {
        scores[row] = row_score(dense, row, x);
    }
}

uint16_t rnnedge_argmax(const int32_t scores[], uint16_t n) {
    uint16_t best = 0;
    for (uint16_t i = 1; i < n; i++) {
        if (scores[i] > scores[best]) {
            best = i;
        }
    }
    return best;
}
