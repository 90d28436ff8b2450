/* value.c -- scores as real numbers. */
#include "flash.h"

#include <stddef.h>

float rnnedge_value(const rnnedge_model *model, int32_t score) {
    if (model == NULL) {
        return 0.0f;
    }
    // a power of two: the only rounding is that of an int32 to 24 bits
    return (float)score / (float)(UINT32_C(1) << RNNEDGE_GET8(&model->fraction_bits));
}
