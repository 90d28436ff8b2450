/* feed.c -- what a free step takes; rnnedge/simulator/generate.py is its twin. */
#include "feed.h"

void rnnedge_feed_values(const rnnedge_model *model, const int32_t scores[], int16_t x[]) {
    const rnnedge_task *task = RNNEDGE_GETP(const rnnedge_task *, &model->task);
    const rnnedge_feedback *at = RNNEDGE_GETP(const rnnedge_feedback *, &task->feedback);
    for (uint16_t left = RNNEDGE_GET16(&model->inputs); left > 0; left--) {
        *x++ = rnnedge_fed(scores, at++);
    }
}

void rnnedge_feed_best(const rnnedge_model *model, const int32_t scores[], int16_t x[]) {
    rnnedge_model_embed(model, rnnedge_argmax(scores, RNNEDGE_GET16(&model->outputs)), x);
}
