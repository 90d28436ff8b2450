/* arm_dsp.h -- Cortex-M4, M7, M33: rows in pairs of 16 bits, activations two at a time. */
#ifndef RNNEDGE_ARM_DSP_H
#define RNNEDGE_ARM_DSP_H

#include "arm_saturation.h"
#include "../include/rnnedge.h"

typedef int16_t rnnedge_v;
#define RNNEDGE_PAD 4 // columns that a product takes at once

#define RNNEDGE_OWN_GRU
#define RNNEDGE_OWN_LSTM
#define RNNEDGE_OWN_RNN

#endif /* RNNEDGE_ARM_DSP_H */
