/* first_features.c -- golden windows that begin with features. */
#include "crc.h"
#include "input.h"
#include "start.h"

uint32_t rnnedge_first_features(const rnnedge_instance *instance,
                                const struct rnnedge_golden *golden, const float *before,
                                uint32_t crc) {
    const rnnedge_model *model = instance->model;
    const rnnedge_start_map *start = rnnedge_starts(model);
    if (start == NULL) {
        return crc;
    }
    const rnnedge_channel *channel = RNNEDGE_GETP(const rnnedge_channel *, &start->channels);
    int16_t *x = (int16_t *)(void *)instance->scratch;
    for (uint16_t left = RNNEDGE_GET16(&golden->n_before); left > 0; left--) {
        RNNEDGE_FETCH(float, value, before++);
        rnnedge_quantize_channels(channel++, x++, value, 1);
    }
    rnnedge_start_state(start, instance->state, (const int16_t *)(void *)instance->scratch);
    return rnnedge_crc_values(crc, instance->state, RNNEDGE_GET16(&model->state_size));
}
