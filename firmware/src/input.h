/* input.h -- some channels of a sample, for the self-test and the serial line. */
#ifndef RNNEDGE_INPUT_H
#define RNNEDGE_INPUT_H

#include "flash.h"

#include <stddef.h>

// n channels from `channel` on: x (out, int16_t[n]) of raw (in, float[n]).
//
//   RNNEDGE_ERR_INPUT if a value is NaN
rnnedge_status rnnedge_quantize_channels(const rnnedge_channel *channel, int16_t x[],
                                         const float raw[], uint16_t n);

// The same of counts; RNNEDGE_ERR_INPUT if a channel has none.
rnnedge_status rnnedge_quantize_counts(const rnnedge_counts table[], int16_t x[],
                                       const int16_t counts[], uint16_t n);

// Numbers of a raw sample: its channels, or an id.
static inline uint16_t rnnedge_raw_values(const rnnedge_model *model) {
    return RNNEDGE_GETP(const rnnedge_channel *, &model->channels) == NULL
               ? 1
               : RNNEDGE_GET16(&model->inputs);
}

#endif /* RNNEDGE_INPUT_H */
