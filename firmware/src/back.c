/* back.c -- ids and free steps of an instance; rnnedge/simulator/generate.py is its twin. */
#include "feed.h"
#include "instance.h"

#include <stddef.h>

rnnedge_status rnnedge_step_back(rnnedge_instance *instance) {
    int16_t *x = rnnedge_sample(instance);
    if (x == NULL) {
        return RNNEDGE_ERR_NULL;
    }
    const rnnedge_model *model = instance->model;
    rnnedge_feed_fn *feed = rnnedge_feeds(model);
    if (feed == NULL) {
        return RNNEDGE_ERR_TASK;
    }
    if (instance->steps != 0) {
        rnnedge_renew(instance);
        feed(model, instance->scores, x);
    } else {
        for (uint16_t left = RNNEDGE_GET16(&model->inputs); left > 0; left--) {
            *x++ = 0;
        }
    }
    return rnnedge_move(instance);
}

rnnedge_status rnnedge_step_id(rnnedge_instance *instance, uint16_t id) {
    int16_t *x = rnnedge_sample(instance);
    if (x == NULL) {
        return RNNEDGE_ERR_NULL;
    }
    const rnnedge_status status = rnnedge_model_embed(instance->model, id, x);
    return status != RNNEDGE_OK ? status : rnnedge_advance(instance);
}
