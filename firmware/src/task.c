/* task.c -- what a model is more than a classifier: its parts, ids and free steps;
 * rnnedge/simulator/input.py and generate.py are their twins.
 */
#include "dense.h"
#include "feed.h"

#include <stddef.h>

static const rnnedge_task *task_of(const rnnedge_model *model) {
    return RNNEDGE_GETP(const rnnedge_task *, &model->task);
}

// Whether the samples of a model with a task are whole: channels, or ids.
static rnnedge_status check_input(const rnnedge_model *model, const rnnedge_task *task) {
    if (RNNEDGE_GETP(const rnnedge_channel *, &model->channels) != NULL) {
        return RNNEDGE_OK;
    }
    if (task == NULL || RNNEDGE_GETP(const int8_t *, &task->table) == NULL ||
        RNNEDGE_GETP(rnnedge_quantize_fn *, &task->quantize) == NULL) {
        return RNNEDGE_ERR_NULL;
    }
    return RNNEDGE_GET16(&task->rows) == 0 ? RNNEDGE_ERR_MODEL : RNNEDGE_OK;
}

// The encoder must have the state, and fit the scratch, of its model.
static rnnedge_status check_encoder(const rnnedge_model *model, const rnnedge_model *encoder) {
    if (RNNEDGE_GET16(&encoder->abi) != RNNEDGE_ABI) {
        return RNNEDGE_ERR_ABI;
    }
    if (RNNEDGE_GET16(&encoder->state_size) != RNNEDGE_GET16(&model->state_size) ||
        RNNEDGE_GET16(&encoder->scratch_size) > RNNEDGE_GET16(&model->scratch_size) ||
        RNNEDGE_GET8(&model->bidirectional) != 0) {
        return RNNEDGE_ERR_MODEL;
    }
    const rnnedge_status status = check_input(encoder, task_of(encoder));
    return status != RNNEDGE_OK ? status : rnnedge_check_layers(encoder);
}

rnnedge_status rnnedge_check_task(const rnnedge_model *model) {
    const rnnedge_task *task = task_of(model);
    const rnnedge_start_map *start = RNNEDGE_GETP(const rnnedge_start_map *, &task->start);
    const rnnedge_model *encoder = RNNEDGE_GETP(const rnnedge_model *, &task->encoder);
    if (start != NULL) {
        const rnnedge_dense *dense = RNNEDGE_GETP(const rnnedge_dense *, &start->dense);
        if (dense == NULL || RNNEDGE_GETP(const rnnedge_channel *, &start->channels) == NULL) {
            return RNNEDGE_ERR_NULL;
        }
        if (RNNEDGE_GET16(&dense->units) != RNNEDGE_GET16(&model->state_size)) {
            return RNNEDGE_ERR_MODEL;
        }
    }
    const rnnedge_feedback *feedback = RNNEDGE_GETP(const rnnedge_feedback *, &task->feedback);
    if (feedback == NULL && RNNEDGE_GETP(const rnnedge_detector *, &task->detector) != NULL) {
        return RNNEDGE_ERR_MODEL;
    }
    if (encoder != NULL) {
        const rnnedge_status status = check_encoder(model, encoder);
        if (status != RNNEDGE_OK) {
            return status;
        }
    }
    const rnnedge_status status = check_input(model, task);
    return status != RNNEDGE_OK ? status : rnnedge_check_layers(model);
}

rnnedge_status rnnedge_model_embed(const rnnedge_model *model, uint16_t id, int16_t x[]) {
    if (model == NULL || x == NULL) {
        return RNNEDGE_ERR_NULL;
    }
    const rnnedge_task *task = task_of(model);
    const int8_t *table = task == NULL ? NULL : RNNEDGE_GETP(const int8_t *, &task->table);
    if (table == NULL) {
        return RNNEDGE_ERR_TASK;
    }
    if (id >= RNNEDGE_GET16(&task->rows)) {
        return RNNEDGE_ERR_INPUT;
    }
    const uint16_t width = RNNEDGE_GET16(&model->inputs);
    table += (uint32_t)id * width;
    for (uint16_t left = width; left > 0; left--) {
        *x++ = (int16_t)((int8_t)RNNEDGE_GET8(table++) * 256);
    }
    return RNNEDGE_OK;
}

// A float that is a whole number of 0..65535 by its bits: no floating point is needed.
rnnedge_status rnnedge_quantize_id(const rnnedge_model *model, int16_t x[], const float raw[]) {
    union {
        float value;
        uint32_t bits;
    } id = {*raw};
    const uint32_t exponent = id.bits >> 23; // with the sign, which only -0 may have
    if (id.bits << 1 == 0) {
        return rnnedge_model_embed(model, 0, x);
    }
    if (exponent < 127 || exponent > 142) { // 1.0 to below 65536.0
        return RNNEDGE_ERR_INPUT;
    }
    const uint32_t mantissa = (id.bits & 0x7FFFFFu) | 0x800000u;
    const uint32_t whole = mantissa >> (150 - exponent);
    if (whole << (150 - exponent) != mantissa) {
        return RNNEDGE_ERR_INPUT;
    }
    return rnnedge_model_embed(model, (uint16_t)whole, x);
}

rnnedge_status rnnedge_model_feed(const rnnedge_model *model, const int32_t scores[], int16_t x[]) {
    if (model == NULL || scores == NULL || x == NULL) {
        return RNNEDGE_ERR_NULL;
    }
    rnnedge_feed_fn *feed = rnnedge_feeds(model);
    if (feed == NULL) {
        return RNNEDGE_ERR_TASK;
    }
    feed(model, scores, x);
    return RNNEDGE_OK;
}

const rnnedge_model *rnnedge_model_encoder(const rnnedge_model *model) {
    const rnnedge_task *task = model == NULL ? NULL : task_of(model);
    return task == NULL ? NULL : RNNEDGE_GETP(const rnnedge_model *, &task->encoder);
}
