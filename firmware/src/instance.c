/* instance.c -- a model at work on one stream of samples: windows, results, rules. */
#include "instance.h"

#include "flash.h"

#include <stddef.h>

rnnedge_status rnnedge_check_rules(const rnnedge_model *model, const rnnedge_rules *rules) {
    if (rules->majority < 1 || rules->majority > RNNEDGE_MAJORITY_MAX || rules->reject > 32768u) {
        return RNNEDGE_ERR_RULES;
    }
    return rules->every != 0 && RNNEDGE_GET8(&model->bidirectional) != 0 ? RNNEDGE_ERR_STREAM
                                                                         : RNNEDGE_OK;
}

uint16_t rnnedge_period(const rnnedge_model *model, const rnnedge_rules *rules) {
    return rules->every != 0 ? rules->every : (uint16_t)RNNEDGE_GET16(&model->window);
}

uint32_t rnnedge_last_scores(const rnnedge_model *model, uint16_t steps) {
    const rnnedge_layer *last = RNNEDGE_GETP(const rnnedge_layer *, &model->layers);
    last += RNNEDGE_GET8(&model->n_layers) - 1;
    return RNNEDGE_GET8(&last->sequences) != 0
               ? (uint32_t)(steps - 1) * RNNEDGE_GET16(&model->outputs)
               : 0;
}

rnnedge_status rnnedge_init(rnnedge_instance *instance, const rnnedge_model *model, int16_t state[],
                            int16_t x[], int32_t scratch[], int32_t scores[]) {
    if (instance == NULL) {
        return RNNEDGE_ERR_NULL;
    }
    instance->model = NULL;
    const rnnedge_status status = rnnedge_model_check(model);
    if (status != RNNEDGE_OK) {
        return status;
    }
    if (state == NULL || x == NULL || scratch == NULL || scores == NULL) {
        return RNNEDGE_ERR_NULL;
    }
    if (RNNEDGE_GET16(&model->outputs) > INT16_MAX || RNNEDGE_GET16(&model->window) == 0) {
        return RNNEDGE_ERR_MODEL;
    }
    instance->model = model;
    instance->state = state;
    instance->x = x;
    instance->scratch = scratch;
    instance->outputs = scores;
    instance->rules.every = 0;
    instance->rules.reject = 0;
    instance->rules.majority = 1;
    return rnnedge_reset(instance);
}

rnnedge_status rnnedge_reset(rnnedge_instance *instance) {
    if (instance == NULL || instance->model == NULL) {
        return RNNEDGE_ERR_NULL;
    }
    instance->scores = instance->outputs;
    instance->result.label = RNNEDGE_REJECTED;
    instance->result.best = RNNEDGE_REJECTED;
    instance->result.probability = 0;
    instance->count = 0;
    instance->n_votes = 0;
    return rnnedge_model_reset(instance->model, instance->state);
}

rnnedge_status rnnedge_set_rules(rnnedge_instance *instance, const rnnedge_rules *rules) {
    if (instance == NULL || instance->model == NULL || rules == NULL) {
        return RNNEDGE_ERR_NULL;
    }
    const rnnedge_status status = rnnedge_check_rules(instance->model, rules);
    if (status != RNNEDGE_OK) {
        return status;
    }
    instance->rules = *rules;
    return rnnedge_reset(instance);
}

// The label with most votes, of several the one that was seen last.
static int16_t elected(const int16_t votes[], uint8_t n) {
    int16_t label = votes[0];
    uint8_t most = 0;
    for (uint8_t i = 0; i < n; i++) {
        uint8_t same = 0;
        for (uint8_t other = 0; other < n; other++) {
            same = (uint8_t)(same + (votes[other] == votes[i]));
        }
        if (same > most) {
            most = same;
            label = votes[i];
        }
    }
    return label;
}

// The result of the scores, by the rules.
static void conclude(rnnedge_instance *instance) {
    const rnnedge_model *model = instance->model;
    const uint16_t outputs = RNNEDGE_GET16(&model->outputs);
    const uint16_t best = rnnedge_argmax(instance->scores, outputs);
    const uint16_t probability =
        rnnedge_probability(instance->scores, outputs, RNNEDGE_GET8(&model->fraction_bits), best);
    if (instance->n_votes < instance->rules.majority) {
        instance->n_votes++;
    }
    for (uint8_t i = (uint8_t)(instance->n_votes - 1); i > 0; i--) {
        instance->votes[i] = instance->votes[i - 1];
    }
    instance->votes[0] = probability < instance->rules.reject ? RNNEDGE_REJECTED : (int16_t)best;
    instance->result.label = elected(instance->votes, instance->n_votes);
    instance->result.best = (int16_t)best;
    instance->result.probability = probability;
}

int16_t *rnnedge_sample(const rnnedge_instance *instance) {
    if (instance == NULL || instance->model == NULL) {
        return NULL;
    }
    // only whole windows are kept
    const uint16_t at = RNNEDGE_GET8(&instance->model->bidirectional) != 0 ? instance->count : 0;
    return instance->x + (uint32_t)at * RNNEDGE_GET16(&instance->model->inputs);
}

rnnedge_status rnnedge_advance(rnnedge_instance *instance) {
    const rnnedge_model *model = instance->model;
    const uint8_t whole = RNNEDGE_GET8(&model->bidirectional);
    if (whole == 0) {
        if (instance->rules.every == 0 && instance->count == 0) {
            rnnedge_model_reset(model, instance->state);
        }
        rnnedge_model_step(model, instance->state, instance->x, instance->scratch);
    }
    instance->count++;
    if (instance->count < rnnedge_period(model, &instance->rules)) {
        return RNNEDGE_OK;
    }
    if (whole == 0) {
        rnnedge_model_output(model, instance->state, instance->scratch, instance->scores);
    } else {
        rnnedge_model_window(model, instance->x, instance->count, instance->state,
                             instance->scratch, instance->outputs);
        instance->scores = instance->outputs + rnnedge_last_scores(model, instance->count);
    }
    instance->count = 0;
    conclude(instance);
    return RNNEDGE_READY;
}
