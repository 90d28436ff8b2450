/* model.c -- a model as a list of layers: check, reset, step, run, output. */
#include "fixed.h"

#include <stddef.h>

rnnedge_status rnnedge_check(const rnnedge_model *model) {
    if (model == NULL || model->layers == NULL || model->head == NULL || model->channels == NULL) {
        return RNNEDGE_ERR_NULL;
    }
    if (model->abi != RNNEDGE_ABI) {
        return RNNEDGE_ERR_ABI;
    }
    uint32_t width = model->inputs;
    uint32_t state = 0;
    for (uint8_t i = 0; i < model->n_layers; i++) {
        const rnnedge_layer *layer = &model->layers[i];
        if (layer->step == NULL || layer->params == NULL) {
            return RNNEDGE_ERR_NULL;
        }
        if (layer->inputs != width || layer->outputs > layer->state_size) {
            return RNNEDGE_ERR_MODEL;
        }
        width = layer->outputs;
        state += layer->state_size;
    }
    if (model->n_layers == 0 || model->head->inputs != width || state != model->state_size ||
        model->head->units != model->outputs || model->outputs == 0) {
        return RNNEDGE_ERR_MODEL;
    }
    return RNNEDGE_OK;
}

rnnedge_status rnnedge_reset(const rnnedge_model *model, int16_t state[]) {
    if (model == NULL || state == NULL) {
        return RNNEDGE_ERR_NULL;
    }
    for (uint16_t i = 0; i < model->state_size; i++) {
        state[i] = 0;
    }
    return RNNEDGE_OK;
}

rnnedge_status rnnedge_step(const rnnedge_model *model, int16_t state[], const int16_t x[],
                            int16_t scratch[]) {
    if (model == NULL || state == NULL || x == NULL || scratch == NULL) {
        return RNNEDGE_ERR_NULL;
    }
    for (uint8_t i = 0; i < model->n_layers; i++) {
        const rnnedge_layer *layer = &model->layers[i];
        layer->step(layer->params, state, x, scratch);
        x = state;
        state += layer->state_size;
    }
    return RNNEDGE_OK;
}

rnnedge_status rnnedge_run(const rnnedge_model *model, int16_t state[], const int16_t x[],
                           uint32_t steps, int16_t scratch[]) {
    rnnedge_status status = RNNEDGE_OK;
    if (model == NULL || x == NULL) {
        return RNNEDGE_ERR_NULL;
    }
    for (uint32_t t = 0; t < steps && status == RNNEDGE_OK; t++) {
        status = rnnedge_step(model, state, x, scratch);
        x += model->inputs;
    }
    return status;
}

rnnedge_status rnnedge_output(const rnnedge_model *model, const int16_t state[], int32_t scores[]) {
    if (model == NULL || state == NULL || scores == NULL) {
        return RNNEDGE_ERR_NULL;
    }
    const rnnedge_layer *last = &model->layers[model->n_layers - 1];
    rnnedge_dense_run(model->head, scores, state + (model->state_size - last->state_size));
    return RNNEDGE_OK;
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
