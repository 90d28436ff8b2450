/* value.c -- scores as real numbers. */
#include "flash.h"

#include <stddef.h>

float rnnedge_value(const rnnedge_model *model, int32_t score) {
    if (model == NULL) {
        return 0.0f;
    }
    // exact: the only rounding is that of an int32 to 24 bits. Not a division, which would bring
    // 300 bytes of library to a core without FPU, also into programs that never call this
    float value = (float)score;
    for (uint8_t left = RNNEDGE_GET8(&model->fraction_bits); left > 0; left--) {
        value *= 0.5f;
    }
    return value;
}

float rnnedge_target(const rnnedge_model *model, uint16_t index, int32_t score) {
    if (model == NULL || index >= RNNEDGE_GET16(&model->outputs)) {
        return 0.0f;
    }
    const rnnedge_task *task = RNNEDGE_GETP(const rnnedge_task *, &model->task);
    const rnnedge_target_map *targets =
        task == NULL ? NULL : RNNEDGE_GETP(const rnnedge_target_map *, &task->targets);
    if (targets == NULL) {
        return rnnedge_value(model, score);
    }
    RNNEDGE_FETCH(rnnedge_target_map, target, targets + index);
    return rnnedge_value(model, score) * target->std + target->mean;
}
