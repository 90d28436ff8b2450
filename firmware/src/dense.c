/* dense.c -- dense layers and softmax; rnnedge/simulator/dense.py is their twin. */
#include "dense.h"

#include "flash.h"
#include "kernel.h"

#ifndef RNNEDGE_OWN_ROW
// The int32 output of a row; `at` moves on to the next one.
static inline int32_t rnnedge_row(rnnedge_rows *at) {
    int32_t acc = (int32_t)RNNEDGE_GET32(at->bias++); // partial sums are below 2^31, by the proof
    for (uint16_t i = 0; i < at->inputs; i++) {
        acc += (int32_t)(int8_t)RNNEDGE_GET8(at->w++) * at->x[i];
    }
    return rnnedge_scale(acc, (int16_t)RNNEDGE_GET16(at->multiplier++));
}

// A score as the input of another layer.
static inline int16_t rnnedge_hidden(int32_t score, uint8_t relu) {
    return (int16_t)rnnedge_clamp(score, relu != 0 ? 0 : INT16_MIN, INT16_MAX);
}
#endif

void rnnedge_dense_all(const rnnedge_model *model, int32_t scores[], const int16_t x[],
                       int32_t scratch[]) {
    const rnnedge_dense *dense = RNNEDGE_GETP(const rnnedge_dense *, &model->dense);
    int16_t *y = (int16_t *)(void *)scratch; // outputs of the layers that feed another one
    for (uint8_t left = RNNEDGE_GET8(&model->n_dense); left > 0; left--, dense++) {
        rnnedge_rows at = {
            RNNEDGE_GETP(const int8_t *, &dense->w), RNNEDGE_GETP(const int32_t *, &dense->bias),
            RNNEDGE_GETP(const int16_t *, &dense->multiplier), x, RNNEDGE_GET16(&dense->inputs)};
        x = y;
        for (uint16_t units = RNNEDGE_GET16(&dense->units); units > 0; units--) {
            const int32_t score = rnnedge_row(&at);
            if (left == 1) {
                *scores++ = score;
            } else {
                *y++ = rnnedge_hidden(score, RNNEDGE_GET8(&dense->relu));
            }
        }
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
