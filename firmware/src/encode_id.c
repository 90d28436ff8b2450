/* encode_id.c -- ids into an encoder; rnnedge/simulator/generate.py is its twin. */
#include "instance.h"

#include <stddef.h>

rnnedge_status rnnedge_encode_id(rnnedge_instance *instance, uint16_t id) {
    if (rnnedge_sample(instance) == NULL) {
        return RNNEDGE_ERR_NULL;
    }
    const rnnedge_model *encoder = rnnedge_model_encoder(instance->model);
    if (encoder == NULL) {
        return RNNEDGE_ERR_TASK;
    }
    const rnnedge_status status = rnnedge_model_embed(encoder, id, instance->x);
    return status != RNNEDGE_OK ? status : rnnedge_encoder_step(instance, encoder);
}
