/* dense.c -- dense layers and softmax; rnnedge/simulator/dense.py is their twin. */
#include "dense.h"

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
