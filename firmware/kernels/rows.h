/* rows.h -- the portable kernel: int8 weights row by row, int16 activations. */
#ifndef RNNEDGE_ROWS_H
#define RNNEDGE_ROWS_H

#include "../include/rnnedge.h"

typedef int16_t RNNEDGE_MAY_ALIAS rnnedge_v;
#define RNNEDGE_PAD 1

#endif /* RNNEDGE_ROWS_H */
