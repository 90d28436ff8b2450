/* names.c -- class names. */
#include "flash.h"

#include <stddef.h>

static const char none[] RNNEDGE_FLASH = "none";
static const char normal[] RNNEDGE_FLASH = "normal";
static const char anomaly[] RNNEDGE_FLASH = "anomaly";

// 1 if the labels are those of a detector.
static int detects(const rnnedge_model *model) {
    const rnnedge_task *task = RNNEDGE_GETP(const rnnedge_task *, &model->task);
    return task != NULL && RNNEDGE_GETP(const rnnedge_detector *, &task->detector) != NULL;
}

// How many names there are: of the outputs, or of an encoder's ids.
static uint16_t count_names(const rnnedge_model *model) {
    if (RNNEDGE_GET8(&model->n_dense) != 0) {
        return RNNEDGE_GET16(&model->outputs);
    }
    const rnnedge_task *task = RNNEDGE_GETP(const rnnedge_task *, &model->task);
    return task == NULL ? 0 : RNNEDGE_GET16(&task->rows);
}

rnnedge_status rnnedge_class_name(const rnnedge_model *model, int16_t label, char name[],
                                  uint16_t size) {
    if (model == NULL || name == NULL) {
        return RNNEDGE_ERR_NULL;
    }
    if (size == 0) {
        return RNNEDGE_ERR_INPUT;
    }
    name[0] = 0;
    const char *text = none;
    if (label != RNNEDGE_REJECTED && detects(model)) {
        if (label != RNNEDGE_NORMAL && label != RNNEDGE_ANOMALY) {
            return RNNEDGE_ERR_INPUT;
        }
        text = label == RNNEDGE_NORMAL ? normal : anomaly;
    } else if (label != RNNEDGE_REJECTED) {
        if (label < 0 || label >= (int32_t)count_names(model)) {
            return RNNEDGE_ERR_INPUT;
        }
        const char *const *classes = RNNEDGE_GETP(const char *const *, &model->classes);
        if (classes == NULL) {
            return RNNEDGE_ERR_NULL;
        }
        text = RNNEDGE_GETP(const char *, classes + label);
    }
    uint16_t n = 0;
    for (; n < size - 1 && RNNEDGE_GET8(text + n) != 0; n++) {
        name[n] = (char)RNNEDGE_GET8(text + n);
    }
    // 10xxxxxx goes on with a character of UTF-8 that began before
    while (n > 0 && ((uint8_t)RNNEDGE_GET8(text + n) & 0xC0u) == 0x80u) {
        n--;
    }
    name[n] = 0;
    return RNNEDGE_OK;
}
