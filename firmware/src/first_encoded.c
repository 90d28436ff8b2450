/* first_encoded.c -- golden windows that begin with what an encoder leaves. */
#include "crc.h"
#include "input.h"

// The next sample of an encoder, from flash, into x; return what lies behind it.
static const float *encoder_sample(const rnnedge_model *encoder, const float *raw, int16_t x[]) {
    const rnnedge_channel *channel = RNNEDGE_GETP(const rnnedge_channel *, &encoder->channels);
    if (channel == NULL) {
        RNNEDGE_FETCH(float, id, raw++);
        rnnedge_model_quantize(encoder, x, id);
        return raw;
    }
    for (uint16_t left = RNNEDGE_GET16(&encoder->inputs); left > 0; left--) {
        RNNEDGE_FETCH(float, value, raw++);
        rnnedge_quantize_channels(channel++, x++, value, 1);
    }
    return raw;
}

uint32_t rnnedge_first_encoded(const rnnedge_instance *instance,
                               const struct rnnedge_golden *golden, const float *before,
                               uint32_t crc) {
    const rnnedge_model *model = instance->model;
    const rnnedge_model *encoder = rnnedge_model_encoder(model);
    if (encoder == NULL) {
        return crc;
    }
    const float *end = before + RNNEDGE_GET16(&golden->n_before);
    while (before < end) {
        before = encoder_sample(encoder, before, instance->x);
        rnnedge_model_step(encoder, instance->state, instance->x, instance->scratch);
        crc = rnnedge_crc_values(crc, instance->state, RNNEDGE_GET16(&model->state_size));
    }
    return crc;
}
