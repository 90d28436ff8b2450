/* model.c -- a model as a list of layers: check, reset, step, run, output. */
#include "dense.h"
#include "flash.h"

#include <stddef.h>

// Layers of a model that fit each other, the widths between them.
rnnedge_status rnnedge_check_layers(const rnnedge_model *model) {
    const rnnedge_layer *layer = RNNEDGE_GETP(const rnnedge_layer *, &model->layers);
    const rnnedge_dense *dense = RNNEDGE_GETP(const rnnedge_dense *, &model->dense);
    const uint8_t n_dense = RNNEDGE_GET8(&model->n_dense);
    uint16_t width = RNNEDGE_GET16(&model->inputs);
    uint16_t state = 0;
    uint8_t two_ways = 0;
    uint8_t left = RNNEDGE_GET8(&model->n_layers);
    if (layer == NULL || (dense == NULL && n_dense != 0)) { // an encoder has none
        return RNNEDGE_ERR_NULL;
    }
    if (left == 0) {
        return RNNEDGE_ERR_MODEL;
    }
    for (; left > 0; left--, layer++) {
        const rnnedge_cell *cell = RNNEDGE_GETP(const rnnedge_cell *, &layer->cell);
        if (cell == NULL || RNNEDGE_GETP(rnnedge_step_fn *, &layer->step) == NULL) {
            return RNNEDGE_ERR_NULL;
        }
        if (RNNEDGE_GET16(&layer->inputs) != width || RNNEDGE_GET16(&cell->inputs) != width) {
            return RNNEDGE_ERR_MODEL;
        }
        width = RNNEDGE_GET16(&layer->outputs);
        state = (uint16_t)(state + RNNEDGE_GET16(&layer->state_size));
        if (RNNEDGE_GETP(const rnnedge_cell *, &layer->backward) != NULL) {
            two_ways = 1;
        }
    }
    for (left = n_dense; left > 0; left--, dense++) {
        if (RNNEDGE_GET16(&dense->inputs) != width) {
            return RNNEDGE_ERR_MODEL;
        }
        width = RNNEDGE_GET16(&dense->units);
    }
    if (width != RNNEDGE_GET16(&model->outputs) || width == 0 ||
        two_ways != RNNEDGE_GET8(&model->bidirectional) ||
        RNNEDGE_GET16(&model->state_size) != (two_ways ? 0 : state)) {
        return RNNEDGE_ERR_MODEL;
    }
    return RNNEDGE_OK;
}

rnnedge_status rnnedge_model_check(const rnnedge_model *model) {
    if (model == NULL) {
        return RNNEDGE_ERR_NULL;
    }
    if (RNNEDGE_GET16(&model->abi) != RNNEDGE_ABI) {
        return RNNEDGE_ERR_ABI;
    }
    const rnnedge_task *task = RNNEDGE_GETP(const rnnedge_task *, &model->task);
    if (task != NULL) {
        return RNNEDGE_GETP(rnnedge_check_fn *, &task->check)(model);
    }
    if (RNNEDGE_GETP(const rnnedge_channel *, &model->channels) == NULL) {
        return RNNEDGE_ERR_NULL;
    }
    return rnnedge_check_layers(model);
}

// NULL and streaming, for the functions that keep a state.
static rnnedge_status streams(const rnnedge_model *model, const int16_t state[]) {
    if (model == NULL || state == NULL) {
        return RNNEDGE_ERR_NULL;
    }
    return RNNEDGE_GET8(&model->bidirectional) != 0 ? RNNEDGE_ERR_STREAM : RNNEDGE_OK;
}

rnnedge_status rnnedge_model_reset(const rnnedge_model *model, int16_t state[]) {
    if (model == NULL || state == NULL) {
        return RNNEDGE_ERR_NULL;
    }
    for (uint16_t left = RNNEDGE_GET16(&model->state_size); left > 0; left--) {
        *state++ = 0;
    }
    return RNNEDGE_OK;
}

rnnedge_status rnnedge_model_step(const rnnedge_model *model, int16_t state[], const int16_t x[],
                                  int32_t scratch[]) {
    const rnnedge_status status = streams(model, state);
    if (status != RNNEDGE_OK) {
        return status;
    }
    if (x == NULL || scratch == NULL) {
        return RNNEDGE_ERR_NULL;
    }
    const rnnedge_layer *layer = RNNEDGE_GETP(const rnnedge_layer *, &model->layers);
    for (uint8_t left = RNNEDGE_GET8(&model->n_layers); left > 0; left--, layer++) {
        rnnedge_step_fn *step = RNNEDGE_GETP(rnnedge_step_fn *, &layer->step);
        step(RNNEDGE_GETP(const rnnedge_cell *, &layer->cell), state, x, scratch);
        x = state;
        state += RNNEDGE_GET16(&layer->state_size);
    }
    return RNNEDGE_OK;
}

rnnedge_status rnnedge_model_run(const rnnedge_model *model, int16_t state[], const int16_t x[],
                                 uint32_t steps, int32_t scratch[]) {
    rnnedge_status status = streams(model, state);
    if (status == RNNEDGE_OK && (x == NULL || scratch == NULL)) {
        status = RNNEDGE_ERR_NULL;
    }
    for (uint32_t t = 0; t < steps && status == RNNEDGE_OK; t++) {
        status = rnnedge_model_step(model, state, x, scratch);
        x += RNNEDGE_GET16(&model->inputs);
    }
    return status;
}

rnnedge_status rnnedge_model_output(const rnnedge_model *model, const int16_t state[],
                                    int32_t scratch[], int32_t scores[]) {
    const rnnedge_status status = streams(model, state);
    if (status != RNNEDGE_OK) {
        return status;
    }
    if (scratch == NULL || scores == NULL) {
        return RNNEDGE_ERR_NULL;
    }
    const rnnedge_layer *last = RNNEDGE_GETP(const rnnedge_layer *, &model->layers);
    last += RNNEDGE_GET8(&model->n_layers) - 1;
    state += RNNEDGE_GET16(&model->state_size);
    rnnedge_dense_all(model, scores, state - RNNEDGE_GET16(&last->state_size), scratch);
    return RNNEDGE_OK;
}
