/* arm_mve.h -- Helium (Cortex-M55): 16 products of int8 an instruction, steps of its own. */
#ifndef RNNEDGE_ARM_MVE_H
#define RNNEDGE_ARM_MVE_H

#include "rnnedge.h"

typedef int8_t rnnedge_v;
#define RNNEDGE_PAD 16

// arm_mve.c has the steps of all cells: activations and updates for eight units at once.
#define RNNEDGE_OWN_EXPAND
#define RNNEDGE_OWN_EXPAND_HX
#define RNNEDGE_OWN_GRU
#define RNNEDGE_OWN_LSTM
#define RNNEDGE_OWN_RNN

#endif /* RNNEDGE_ARM_MVE_H */
