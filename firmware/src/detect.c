/* detect.c -- how far a forecast was from what came; rnnedge/simulator/detect.py is its twin. */
#include "feed.h"
#include "instance.h"

#include <stddef.h>

// The largest difference between x and its forecast, 0..65535.
static uint32_t largest_error(const rnnedge_model *model, const int32_t scores[], const int16_t x[],
                              const rnnedge_feedback *at) {
    uint32_t largest = 0;
    for (uint16_t left = RNNEDGE_GET16(&model->inputs); left > 0; left--, x++, at++) {
        const int32_t error = (int32_t)rnnedge_fed(scores, at) - *x;
        const uint32_t size = (uint32_t)(error < 0 ? -error : error);
        largest = size > largest ? size : largest;
    }
    return largest;
}

void rnnedge_watch_errors(rnnedge_instance *instance) {
    const rnnedge_model *model = instance->model;
    if (instance->steps == 0) {
        return; // nothing was forecast yet
    }
    rnnedge_renew(instance);
    const rnnedge_task *task = RNNEDGE_GETP(const rnnedge_task *, &model->task);
    const rnnedge_detector *detector = RNNEDGE_GETP(const rnnedge_detector *, &task->detector);
    const int32_t error =
        (int32_t)largest_error(model, instance->scores, instance->x,
                               RNNEDGE_GETP(const rnnedge_feedback *, &task->feedback));
    // error * 2^8 < 2^24, and so is the level
    instance->level += (error * 256 - instance->level) >> RNNEDGE_GET8(&detector->smoothing);
}
