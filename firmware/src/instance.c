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
    if (RNNEDGE_GET16(&model->outputs) > INT16_MAX || RNNEDGE_GET16(&model->window) == 0 ||
        RNNEDGE_GET8(&model->n_dense) == 0) {
        return RNNEDGE_ERR_MODEL;
    }
    instance->model = model;
    instance->state = state;
    instance->x = x;
    instance->scratch = scratch;
    instance->outputs = scores;
    instance->rules.every = RNNEDGE_GET16(&model->every);
    instance->rules.reject = 0;
    instance->rules.majority = 1;
    return rnnedge_reset(instance);
}

rnnedge_status rnnedge_reset(rnnedge_instance *instance) {
    if (instance == NULL || instance->model == NULL) {
        return RNNEDGE_ERR_NULL;
    }
    rnnedge_forget(instance);
    return rnnedge_model_reset(instance->model, instance->state);
}

// What belongs to a state that was reset or made.
static void begin(rnnedge_instance *instance) {
    instance->level = 0;
    instance->steps = 0;
    instance->count = 0;
    instance->current = 0;
}

void rnnedge_forget(rnnedge_instance *instance) {
    instance->scores = instance->outputs;
    instance->result.label = RNNEDGE_REJECTED;
    instance->result.best = RNNEDGE_REJECTED;
    instance->result.probability = 0;
    instance->n_votes = 0;
    begin(instance);
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

// Take one more vote, and the label by all of them.
static void vote(rnnedge_instance *instance, int16_t label) {
    if (instance->n_votes < instance->rules.majority) {
        instance->n_votes++;
    }
    for (uint8_t i = (uint8_t)(instance->n_votes - 1); i > 0; i--) {
        instance->votes[i] = instance->votes[i - 1];
    }
    instance->votes[0] = label;
    instance->result.label = elected(instance->votes, instance->n_votes);
}

// The result of the scores of classes, by the rules.
static void judge_classes(rnnedge_instance *instance) {
    const rnnedge_model *model = instance->model;
    const uint16_t outputs = RNNEDGE_GET16(&model->outputs);
    const uint16_t best = rnnedge_argmax(instance->scores, outputs);
    const uint16_t probability =
        rnnedge_probability(instance->scores, outputs, RNNEDGE_GET8(&model->fraction_bits), best);
    instance->result.best = (int16_t)best;
    instance->result.probability = probability;
    vote(instance, probability < instance->rules.reject ? RNNEDGE_REJECTED : (int16_t)best);
}

// The result of a detector's level.
static void judge_level(rnnedge_instance *instance, const rnnedge_detector *at) {
    RNNEDGE_FETCH(rnnedge_detector, detector, at);
    instance->result.best =
        instance->steps > detector->warmup && instance->level > detector->threshold
            ? RNNEDGE_ANOMALY
            : RNNEDGE_NORMAL;
    vote(instance, instance->result.best);
}

// The result of the present scores.
static void judge(rnnedge_instance *instance) {
    const rnnedge_task *task = RNNEDGE_GETP(const rnnedge_task *, &instance->model->task);
    const rnnedge_detector *detector =
        task == NULL ? NULL : RNNEDGE_GETP(const rnnedge_detector *, &task->detector);
    if (detector != NULL) {
        judge_level(instance, detector);
    } else if (task == NULL || RNNEDGE_GETP(const rnnedge_target_map *, &task->targets) == NULL) {
        judge_classes(instance);
    }
}

int16_t *rnnedge_sample(const rnnedge_instance *instance) {
    if (instance == NULL || instance->model == NULL) {
        return NULL;
    }
    // only whole windows are kept
    const uint16_t at = RNNEDGE_GET8(&instance->model->bidirectional) != 0 ? instance->count : 0;
    return instance->x + (uint32_t)at * RNNEDGE_GET16(&instance->model->inputs);
}

// The result of the samples so far.
static rnnedge_status conclude(rnnedge_instance *instance) {
    const rnnedge_model *model = instance->model;
    if (RNNEDGE_GET8(&model->bidirectional) == 0) {
        rnnedge_model_output(model, instance->state, instance->scratch, instance->scores);
        instance->current = 1;
    } else {
        rnnedge_model_window(model, instance->x, instance->count, instance->state,
                             instance->scratch, instance->outputs);
        instance->scores = instance->outputs + rnnedge_last_scores(model, instance->count);
    }
    instance->count = 0;
    judge(instance);
    return RNNEDGE_READY;
}

rnnedge_status rnnedge_move(rnnedge_instance *instance) {
    const rnnedge_model *model = instance->model;
    if (RNNEDGE_GET8(&model->bidirectional) == 0) {
        rnnedge_model_step(model, instance->state, instance->x, instance->scratch);
        instance->steps += instance->steps < RNNEDGE_STEPS_MAX;
        instance->current = 0;
    }
    instance->count++;
    return instance->count < rnnedge_period(model, &instance->rules) ? RNNEDGE_OK
                                                                     : conclude(instance);
}

rnnedge_status rnnedge_advance(rnnedge_instance *instance) {
    const rnnedge_model *model = instance->model;
    if (instance->rules.every == 0 && instance->count == 0 && instance->steps != 0) {
        begin(instance);
        rnnedge_model_reset(model, instance->state);
    }
    const rnnedge_task *task = RNNEDGE_GETP(const rnnedge_task *, &model->task);
    rnnedge_watch_fn *watch = task == NULL ? NULL : RNNEDGE_GETP(rnnedge_watch_fn *, &task->watch);
    if (watch != NULL) {
        watch(instance);
    }
    return rnnedge_move(instance);
}

rnnedge_status rnnedge_finish(rnnedge_instance *instance) {
    if (instance == NULL || instance->model == NULL) {
        return RNNEDGE_ERR_NULL;
    }
    return instance->count == 0 ? RNNEDGE_OK : conclude(instance);
}
