/* start.h -- the state of features that are quantised, for the self-test and the serial line. */
#ifndef RNNEDGE_START_H
#define RNNEDGE_START_H

#include "flash.h"

#include <stddef.h>

// How a model makes a state of features; NULL: it has no start.
static inline const rnnedge_start_map *rnnedge_starts(const rnnedge_model *model) {
    const rnnedge_task *task = RNNEDGE_GETP(const rnnedge_task *, &model->task);
    return task == NULL ? NULL : RNNEDGE_GETP(const rnnedge_start_map *, &task->start);
}

// The state (out, int16_t[state_size]) of x (in, int16_t[features]).
void rnnedge_start_state(const rnnedge_start_map *start, int16_t state[], const int16_t x[]);

#endif /* RNNEDGE_START_H */
