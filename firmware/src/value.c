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
