/* window.c -- a whole window, layer by layer; rnnedge/simulator/model.py is its twin. */
#include "dense.h"
#include "flash.h"

#include <stddef.h>

// What a layer reads and writes.
typedef struct {
    const int16_t *in; // (steps, inputs)
    int16_t *out;      // (steps or 1, outputs)
    int16_t *state;
    int32_t *scratch;
    uint16_t steps;
} window;

// One direction of a layer; its outputs start at out[column] of each step.
static void direction(const rnnedge_layer *layer, const rnnedge_cell *cell, const window *w,
                      uint16_t column, uint8_t reverse) {
    rnnedge_step_fn *step = RNNEDGE_GETP(rnnedge_step_fn *, &layer->step);
    const uint16_t inputs = RNNEDGE_GET16(&layer->inputs);
    const uint16_t outputs = RNNEDGE_GET16(&layer->outputs);
    const uint16_t units = RNNEDGE_GET16(&cell->units);
    const uint8_t sequences = RNNEDGE_GET8(&layer->sequences);
    for (uint16_t i = 0; i < RNNEDGE_GET16(&layer->state_size); i++) {
        w->state[i] = 0;
    }
    for (uint16_t t = 0; t < w->steps; t++) {
        const uint16_t at = reverse ? (uint16_t)(w->steps - 1 - t) : t;
        int16_t *out = w->out + column + (sequences ? (uint32_t)at * outputs : 0);
        step(cell, w->state, w->in + (uint32_t)at * inputs, w->scratch);
        for (uint16_t i = 0; i < units; i++) {
            out[i] = w->state[i];
        }
    }
}

// int16 values that a layer leaves in the buffer.
static uint32_t layer_values(const rnnedge_layer *layer, uint16_t steps) {
    const uint32_t outputs = RNNEDGE_GET16(&layer->outputs);
    return RNNEDGE_GET8(&layer->sequences) ? outputs * steps : outputs;
}

rnnedge_status rnnedge_model_window(const rnnedge_model *model, const int16_t x[], uint16_t steps,
                                    int16_t buffer[], int32_t scratch[], int32_t scores[]) {
    if (model == NULL || x == NULL || buffer == NULL || scratch == NULL || scores == NULL) {
        return RNNEDGE_ERR_NULL;
    }
    if (steps == 0) {
        return RNNEDGE_ERR_INPUT;
    }
    const rnnedge_layer *layers = RNNEDGE_GETP(const rnnedge_layer *, &model->layers);
    const rnnedge_layer *end = layers + RNNEDGE_GET8(&model->n_layers);
    window w = {x, buffer, buffer, scratch, steps};
    for (const rnnedge_layer *layer = layers; layer < end; layer++) {
        w.state += layer_values(layer, steps);
    }
    for (const rnnedge_layer *layer = layers; layer < end; layer++) {
        const rnnedge_cell *cell = RNNEDGE_GETP(const rnnedge_cell *, &layer->cell);
        const rnnedge_cell *backward = RNNEDGE_GETP(const rnnedge_cell *, &layer->backward);
        direction(layer, cell, &w, 0, 0);
        if (backward != NULL) {
            direction(layer, backward, &w, RNNEDGE_GET16(&cell->units), 1);
        }
        w.in = w.out;
        w.out += layer_values(layer, steps);
    }
    const rnnedge_layer *last = end - 1;
    const uint16_t width = RNNEDGE_GET16(&last->outputs);
    const uint16_t times = RNNEDGE_GET8(&last->sequences) ? steps : 1;
    for (uint16_t t = 0; t < times; t++) {
        rnnedge_dense_all(model, scores, w.in + (uint32_t)t * width, scratch);
        scores += RNNEDGE_GET16(&model->outputs);
    }
    return RNNEDGE_OK;
}
