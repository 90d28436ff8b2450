/* dense.h -- the dense layers, for model.c, window.c and start.c. */
#ifndef RNNEDGE_DENSE_H
#define RNNEDGE_DENSE_H

#include "flash.h"
#include "kernel.h"

// scores (out, int32_t[outputs]) of x (in, int16_t[]), the output of the last recurrent layer;
// scratch (int32_t[scratch_size]) holds what lies between the layers.
void rnnedge_dense_all(const rnnedge_model *model, int32_t scores[], const int16_t x[],
                       int32_t scratch[]);

// Where the rows of a dense layer are read.
typedef struct rnnedge_rows {
    const int8_t *w;
    const int32_t *bias;
    const int16_t *multiplier;
    const int16_t *x;
    uint16_t inputs;
} rnnedge_rows;

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

// Whether a model's recurrent and dense layers fit each other: RNNEDGE_OK, RNNEDGE_ERR_NULL or
// RNNEDGE_ERR_MODEL.
rnnedge_status rnnedge_check_layers(const rnnedge_model *model);

#endif /* RNNEDGE_DENSE_H */
