/* feed.h -- from scores to the next x, for free steps and detectors. */
#ifndef RNNEDGE_FEED_H
#define RNNEDGE_FEED_H

#include "flash.h"

#include <stddef.h>

// What makes x of scores; NULL: the model has no free steps.
static inline rnnedge_feed_fn *rnnedge_feeds(const rnnedge_model *model) {
    const rnnedge_task *task = RNNEDGE_GETP(const rnnedge_task *, &model->task);
    return task == NULL ? NULL : RNNEDGE_GETP(rnnedge_feed_fn *, &task->feed);
}

// One channel's x of the scores, by its map in flash.
static inline int16_t rnnedge_fed(const int32_t scores[], const rnnedge_feedback *at) {
    RNNEDGE_FETCH(rnnedge_feedback, map, at);
    // |score * multiplier| <= 2^61, |offset| < 2^61
    int64_t q = ((int64_t)scores[map->source] * map->multiplier + map->offset) >> map->shift;
    q = q > INT16_MAX ? INT16_MAX : q;
    q = q < INT16_MIN ? INT16_MIN : q;
    return (int16_t)q;
}

#endif /* RNNEDGE_FEED_H */
