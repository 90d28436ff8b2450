/* step.c -- raw samples into an instance. */
#include "input.h"
#include "instance.h"

#include <stddef.h>

rnnedge_status rnnedge_step(rnnedge_instance *instance, const float raw[]) {
    int16_t *x = rnnedge_sample(instance);
    if (x == NULL) {
        return RNNEDGE_ERR_NULL;
    }
    const rnnedge_status status = rnnedge_model_quantize(instance->model, x, raw);
    return status != RNNEDGE_OK ? status : rnnedge_advance(instance);
}

rnnedge_status rnnedge_run(rnnedge_instance *instance, const float raw[], uint32_t steps,
                           uint32_t *done) {
    if (rnnedge_sample(instance) == NULL || raw == NULL || done == NULL) {
        return RNNEDGE_ERR_NULL;
    }
    const uint16_t values = rnnedge_raw_values(instance->model);
    rnnedge_status status = RNNEDGE_OK;
    for (*done = 0; *done < steps && status == RNNEDGE_OK; raw += values) {
        status = rnnedge_step(instance, raw);
        *done += status >= RNNEDGE_OK;
    }
    return status;
}
