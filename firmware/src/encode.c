/* encode.c -- raw samples into an encoder; rnnedge/simulator/generate.py is its twin. */
#include "instance.h"

#include <stddef.h>

rnnedge_status rnnedge_encode(rnnedge_instance *instance, const float raw[]) {
    if (rnnedge_sample(instance) == NULL || raw == NULL) {
        return RNNEDGE_ERR_NULL;
    }
    const rnnedge_model *encoder = rnnedge_model_encoder(instance->model);
    if (encoder == NULL) {
        return RNNEDGE_ERR_TASK;
    }
    const rnnedge_status status = rnnedge_model_quantize(encoder, instance->x, raw);
    return status != RNNEDGE_OK ? status : rnnedge_encoder_step(instance, encoder);
}
