/* counts.c -- a sensor's integers into an instance; rnnedge/simulator/input.py is its twin. */
#include "flash.h"
#include "input.h"
#include "instance.h"

#include <stddef.h>

rnnedge_status rnnedge_quantize_counts(const rnnedge_counts table[], int16_t x[],
                                       const int16_t counts[], uint16_t n) {
    for (; n > 0; n--) {
        RNNEDGE_FETCH(rnnedge_counts, channel, table++);
        if (channel->multiplier == 0) {
            return RNNEDGE_ERR_INPUT;
        }
        // |count * multiplier| <= 2^46, |offset| < 2^62
        int64_t q = ((int64_t)*counts++ * channel->multiplier + channel->offset) >> channel->shift;
        q = q > INT16_MAX ? INT16_MAX : q;
        q = q < INT16_MIN ? INT16_MIN : q;
        *x++ = (int16_t)q;
    }
    return RNNEDGE_OK;
}

rnnedge_status rnnedge_model_quantize_counts(const rnnedge_model *model,
                                             const rnnedge_counts table[], int16_t x[],
                                             const int16_t counts[]) {
    if (model == NULL || table == NULL || x == NULL || counts == NULL) {
        return RNNEDGE_ERR_NULL;
    }
    if (RNNEDGE_GETP(const rnnedge_channel *, &model->channels) == NULL) {
        return RNNEDGE_ERR_TASK;
    }
    return rnnedge_quantize_counts(table, x, counts, RNNEDGE_GET16(&model->inputs));
}

rnnedge_status rnnedge_step_counts(rnnedge_instance *instance, const rnnedge_counts table[],
                                   const int16_t counts[]) {
    int16_t *x = rnnedge_sample(instance);
    if (x == NULL) {
        return RNNEDGE_ERR_NULL;
    }
    const rnnedge_status status = rnnedge_model_quantize_counts(instance->model, table, x, counts);
    return status != RNNEDGE_OK ? status : rnnedge_advance(instance);
}

rnnedge_status rnnedge_run_counts(rnnedge_instance *instance, const rnnedge_counts table[],
                                  const int16_t counts[], uint32_t steps, uint32_t *done) {
    if (rnnedge_sample(instance) == NULL || table == NULL || counts == NULL || done == NULL) {
        return RNNEDGE_ERR_NULL;
    }
    const uint16_t inputs = RNNEDGE_GET16(&instance->model->inputs);
    rnnedge_status status = RNNEDGE_OK;
    for (*done = 0; *done < steps && status == RNNEDGE_OK; counts += inputs) {
        status = rnnedge_step_counts(instance, table, counts);
        *done += status >= RNNEDGE_OK;
    }
    return status;
}
