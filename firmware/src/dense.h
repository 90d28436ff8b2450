/* dense.h -- the dense layers, for model.c and window.c. */
#ifndef RNNEDGE_DENSE_H
#define RNNEDGE_DENSE_H

#include "rnnedge.h"

// scores (out, int32_t[outputs]) of x (in, int16_t[]), the output of the last recurrent layer;
// scratch (int32_t[scratch_size]) holds what lies between the layers.
void rnnedge_dense_all(const rnnedge_model *model, int32_t scores[], const int16_t x[],
                       int32_t scratch[]);

#endif /* RNNEDGE_DENSE_H */
