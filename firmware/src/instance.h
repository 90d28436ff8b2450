/* instance.h -- what the files of an instance share. */
#ifndef RNNEDGE_INSTANCE_H
#define RNNEDGE_INSTANCE_H

#include "../include/rnnedge.h"

#define RNNEDGE_STEPS_MAX UINT32_C(65536) // more than any detector's warmup

// Where the next sample belongs, int16_t[inputs]; NULL if there is no instance, or no model in it.
int16_t *rnnedge_sample(const rnnedge_instance *instance);

// Advance by the sample that lies there: RNNEDGE_OK or RNNEDGE_READY.
rnnedge_status rnnedge_advance(rnnedge_instance *instance);

// Advance by the x that lies there, from the present state: RNNEDGE_OK or RNNEDGE_READY.
rnnedge_status rnnedge_move(rnnedge_instance *instance);

// Forget results, counters and level, not the state.
void rnnedge_forget(rnnedge_instance *instance);

// Advance an encoder, in the instance's state, by the x that lies there.
static inline rnnedge_status rnnedge_encoder_step(rnnedge_instance *instance,
                                                  const rnnedge_model *encoder) {
    rnnedge_forget(instance);
    return rnnedge_model_step(encoder, instance->state, instance->x, instance->scratch);
}

// Make scores those of the present state.
static inline void rnnedge_renew(rnnedge_instance *instance) {
    if (instance->current == 0) {
        rnnedge_model_output(instance->model, instance->state, instance->scratch, instance->scores);
        instance->current = 1;
    }
}

// RNNEDGE_OK, RNNEDGE_ERR_RULES or RNNEDGE_ERR_STREAM.
rnnedge_status rnnedge_check_rules(const rnnedge_model *model, const rnnedge_rules *rules);

// Steps from one result to the next.
uint16_t rnnedge_period(const rnnedge_model *model, const rnnedge_rules *rules);

// Where the scores of the last step are, among those that rnnedge_model_window writes for `steps`.
uint32_t rnnedge_last_scores(const rnnedge_model *model, uint16_t steps);

#endif /* RNNEDGE_INSTANCE_H */
