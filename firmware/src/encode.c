/* encode.c -- an encoder's steps in an instance's state; rnnedge/simulator/generate.py is its twin.
 */
#include "flash.h"
#include "instance.h"

#include <stddef.h>

// One step of the sample that lies in x.
static rnnedge_status advance(rnnedge_instance *instance, const rnnedge_model *encoder) {
    rnnedge_forget(instance);
    return rnnedge_model_step(encoder, instance->state, instance->x, instance->scratch);
}

rnnedge_status rnnedge_encode(rnnedge_instance *instance, const float raw[]) {
    if (rnnedge_sample(instance) == NULL || raw == NULL) {
        return RNNEDGE_ERR_NULL;
    }
    const rnnedge_model *encoder = rnnedge_model_encoder(instance->model);
    if (encoder == NULL) {
        return RNNEDGE_ERR_TASK;
    }
    const rnnedge_status status = rnnedge_model_quantize(encoder, instance->x, raw);
    return status != RNNEDGE_OK ? status : advance(instance, encoder);
}

rnnedge_status rnnedge_encode_id(rnnedge_instance *instance, uint16_t id) {
    if (rnnedge_sample(instance) == NULL) {
        return RNNEDGE_ERR_NULL;
    }
    const rnnedge_model *encoder = rnnedge_model_encoder(instance->model);
    if (encoder == NULL) {
        return RNNEDGE_ERR_TASK;
    }
    const rnnedge_status status = rnnedge_model_embed(encoder, id, instance->x);
    return status != RNNEDGE_OK ? status : advance(instance, encoder);
}
