/* input.c -- raw sensor units to the model's int16 input; rnnedge/simulator/input.py is its twin.
 *
 * The only floats of the runtime. Multiplying by a power of two, comparing and truncating are
 * exact, so every compiler and core gives the same bits.
 */
#include "flash.h"

#include <stddef.h>

#define FIXED_LIMIT 1073741824.0f // 2^30

rnnedge_status rnnedge_quantize(const rnnedge_model *model, int16_t x[], const float raw[]) {
    if (model == NULL || x == NULL || raw == NULL) {
        return RNNEDGE_ERR_NULL;
    }
    const rnnedge_channel *channels = RNNEDGE_GETP(const rnnedge_channel *, &model->channels);
    const uint16_t inputs = RNNEDGE_GET16(&model->inputs);
    for (uint16_t i = 0; i < inputs; i++) {
        RNNEDGE_FETCH(rnnedge_channel, channel, &channels[i]);
        float v = raw[i] * channel->scale;
        if (!(v == v)) {
            return RNNEDGE_ERR_INPUT;
        }
        v = v > FIXED_LIMIT ? FIXED_LIMIT : v;
        v = v < -FIXED_LIMIT ? -FIXED_LIMIT : v;
        // |fixed| <= 2^30, multiplier <= 2^30, |offset| < 2^62: the sum is below 2^63
        int64_t q = ((int64_t)(int32_t)v * channel->multiplier + channel->offset) >> channel->shift;
        q = q > INT16_MAX ? INT16_MAX : q;
        q = q < INT16_MIN ? INT16_MIN : q;
        x[i] = (int16_t)q;
    }
    return RNNEDGE_OK;
}
