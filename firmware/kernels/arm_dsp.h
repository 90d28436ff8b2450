/* arm_dsp.h -- Cortex-M4, M7, M33: rows in pairs of 16 bits, activations two at a time. */
#ifndef RNNEDGE_ARM_DSP_H
#define RNNEDGE_ARM_DSP_H

#include "rnnedge.h"

typedef int16_t rnnedge_v;
#define RNNEDGE_PAD 4 // columns that a product takes at once

#define RNNEDGE_OWN_GRU
#define RNNEDGE_OWN_LSTM
#define RNNEDGE_OWN_RNN

#define RNNEDGE_OWN_SATURATION
static inline int32_t rnnedge_sat16(int32_t v) {
    int32_t limited;
    __asm__("ssat %0, #16, %1" : "=r"(limited) : "r"(v));
    return limited;
}

static inline int32_t rnnedge_sat8(int32_t v) {
    int32_t limited;
    __asm__("ssat %0, #8, %1" : "=r"(limited) : "r"(v));
    return limited;
}

#endif /* RNNEDGE_ARM_DSP_H */
