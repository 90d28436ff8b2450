/* start.c -- a state made of features; rnnedge/simulator/generate.py is its twin. */
#include "dense.h"
#include "input.h"
#include "instance.h"
#include "start.h"

#include <stddef.h>

void rnnedge_start_state(const rnnedge_start_map *start, int16_t state[], const int16_t x[]) {
    const rnnedge_dense *dense = RNNEDGE_GETP(const rnnedge_dense *, &start->dense);
    rnnedge_rows at = {
        RNNEDGE_GETP(const int8_t *, &dense->w), RNNEDGE_GETP(const int32_t *, &dense->bias),
        RNNEDGE_GETP(const int16_t *, &dense->multiplier), x, RNNEDGE_GET16(&dense->inputs)};
    for (uint16_t left = RNNEDGE_GET16(&dense->units); left > 0; left--) {
        *state++ = rnnedge_hidden(rnnedge_row(&at), 0);
    }
}

rnnedge_status rnnedge_model_start(const rnnedge_model *model, int16_t state[],
                                   const float features[], int32_t scratch[]) {
    if (model == NULL || state == NULL || features == NULL || scratch == NULL) {
        return RNNEDGE_ERR_NULL;
    }
    const rnnedge_start_map *start = rnnedge_starts(model);
    if (start == NULL) {
        return RNNEDGE_ERR_TASK;
    }
    const rnnedge_dense *dense = RNNEDGE_GETP(const rnnedge_dense *, &start->dense);
    int16_t *x = (int16_t *)(void *)scratch;
    const rnnedge_status status =
        rnnedge_quantize_channels(RNNEDGE_GETP(const rnnedge_channel *, &start->channels), x,
                                  features, RNNEDGE_GET16(&dense->inputs));
    if (status == RNNEDGE_OK) {
        rnnedge_start_state(start, state, x);
    }
    return status;
}

rnnedge_status rnnedge_start(rnnedge_instance *instance, const float features[]) {
    if (rnnedge_sample(instance) == NULL) {
        return RNNEDGE_ERR_NULL;
    }
    const rnnedge_status status =
        rnnedge_model_start(instance->model, instance->state, features, instance->scratch);
    if (status == RNNEDGE_OK) {
        rnnedge_forget(instance);
    }
    return status;
}
