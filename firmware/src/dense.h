/* dense.h -- the dense layers, for model.c and window.c. */
#ifndef RNNEDGE_DENSE_H
#define RNNEDGE_DENSE_H

#include "../include/rnnedge.h"

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

#endif /* RNNEDGE_DENSE_H */
