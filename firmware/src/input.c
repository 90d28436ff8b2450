/* input.c -- raw sensor units to the model's int16 input; rnnedge/simulator/input.py is its twin.
 *
 * The only floats of the runtime. Multiplying by a power of two, comparing and truncating are
 * exact, so every compiler and core gives the same bits.
 */
#include "input.h"
#include "flash.h"
#include "kernel.h"

#include <stddef.h>

#ifndef RNNEDGE_OWN_CHANNEL

#define FIXED_LIMIT 1073741824.0f // 2^30

// One channel; 0 if raw is NaN.
static inline int rnnedge_channel_value(const rnnedge_channel *at, int16_t *x, const float *raw) {
    RNNEDGE_FETCH(rnnedge_channel, channel, at);
    float v = *raw * channel->scale;
    if (!(v == v)) {
        return 0;
    }
    v = v > FIXED_LIMIT ? FIXED_LIMIT : v;
    v = v < -FIXED_LIMIT ? -FIXED_LIMIT : v;
    // |fixed| <= 2^30, multiplier <= 2^30, |offset| < 2^62: the sum is below 2^63
    int64_t q = ((int64_t)(int32_t)v * channel->multiplier + channel->offset) >> channel->shift;
    q = q > INT16_MAX ? INT16_MAX : q;
    q = q < INT16_MIN ? INT16_MIN : q;
    *x = (int16_t)q;
    return 1;
}

#endif

rnnedge_status rnnedge_quantize_channels(const rnnedge_channel *channel, int16_t x[],
                                         const float raw[], uint16_t n) {
    for (; n > 0; n--) {
        if (!rnnedge_channel_value(channel++, x++, raw++)) {
            return RNNEDGE_ERR_INPUT;
        }
    }
    return RNNEDGE_OK;
}

rnnedge_status rnnedge_model_quantize(const rnnedge_model *model, int16_t x[], const float raw[]) {
    if (model == NULL || x == NULL || raw == NULL) {
        return RNNEDGE_ERR_NULL;
    }
    const rnnedge_channel *channels = RNNEDGE_GETP(const rnnedge_channel *, &model->channels);
    if (channels == NULL) {
        const rnnedge_task *task = RNNEDGE_GETP(const rnnedge_task *, &model->task);
        return RNNEDGE_GETP(rnnedge_quantize_fn *, &task->quantize)(model, x, raw);
    }
    return rnnedge_quantize_channels(channels, x, raw, RNNEDGE_GET16(&model->inputs));
}
