/* selftest.c -- the exported golden windows against this build. */
#include "crc.h"
#include "feed.h"
#include "flash.h"
#include "input.h"
#include "instance.h"

#include <stddef.h>

uint32_t rnnedge_crc_values(uint32_t crc, const int16_t values[], uint16_t n) {
    for (; n > 0; n--) {
        const uint16_t v = (uint16_t)*values++;
        crc = rnnedge_crc32(rnnedge_crc32(crc, (uint8_t)(v & 255)), (uint8_t)(v >> 8));
    }
    return crc;
}

// Copy values out of flash.
static void fetch(int16_t to[], const int16_t *from, uint32_t n) {
    for (; n > 0; n--) {
        *to++ = (int16_t)RNNEDGE_GET16(from++);
    }
}

// Run one window of x, in flash, and return the CRC of what it left behind.
static uint32_t run_steps(const rnnedge_instance *to, const rnnedge_golden *golden,
                          const float *before, const int16_t *x) {
    const uint16_t inputs = RNNEDGE_GET16(&to->model->inputs);
    rnnedge_first_fn *first = RNNEDGE_GETP(rnnedge_first_fn *, &golden->first);
    uint32_t crc = RNNEDGE_CRC_START;
    rnnedge_model_reset(to->model, to->state);
    if (first != NULL) {
        crc = first(to, golden, before, crc);
    }
    uint16_t steps = RNNEDGE_GET16(&golden->steps);
    for (; steps > 0; steps--, x += inputs) {
        fetch(to->x, x, inputs);
        rnnedge_model_step(to->model, to->state, to->x, to->scratch);
        crc = rnnedge_crc_values(crc, to->state, RNNEDGE_GET16(&to->model->state_size));
    }
    rnnedge_model_output(to->model, to->state, to->scratch, to->outputs);
    return ~crc;
}

// The same of a bidirectional model, whose layers' outputs count.
static uint32_t run_whole(const rnnedge_instance *to, const int16_t *x, uint16_t steps) {
    const rnnedge_layer *layer = RNNEDGE_GETP(const rnnedge_layer *, &to->model->layers);
    const int16_t *values = to->state;
    uint32_t crc = RNNEDGE_CRC_START;
    fetch(to->x, x, (uint32_t)steps * RNNEDGE_GET16(&to->model->inputs));
    rnnedge_model_window(to->model, to->x, steps, to->state, to->scratch, to->outputs);
    for (uint8_t left = RNNEDGE_GET8(&to->model->n_layers); left > 0; left--, layer++) {
        const uint16_t outputs = RNNEDGE_GET16(&layer->outputs);
        for (uint16_t t = RNNEDGE_GET8(&layer->sequences) ? steps : 1; t > 0; t--) {
            crc = rnnedge_crc_values(crc, values, outputs);
            values += outputs;
        }
    }
    return ~crc;
}

// 1 if values are those in flash.
static int same(const int16_t values[], const int16_t *expected, uint16_t n) {
    for (; n > 0; n--) {
        if (*values++ != (int16_t)RNNEDGE_GET16(expected++)) {
            return 0;
        }
    }
    return 1;
}

// 1 if the raw sample, in flash, becomes x, in flash; the instance's x is undefined then.
static int normalises(const rnnedge_instance *instance, const float *raw, const int16_t *x) {
    const rnnedge_model *model = instance->model;
    const rnnedge_channel *channel = RNNEDGE_GETP(const rnnedge_channel *, &model->channels);
    if (channel == NULL) {
        RNNEDGE_FETCH(float, id, raw);
        return rnnedge_model_quantize(model, instance->x, id) == RNNEDGE_OK &&
               same(instance->x, x, RNNEDGE_GET16(&model->inputs));
    }
    for (uint16_t left = RNNEDGE_GET16(&model->inputs); left > 0; left--) {
        RNNEDGE_FETCH(float, value, raw++);
        int16_t found;
        if (rnnedge_quantize_channels(channel++, &found, value, 1) != RNNEDGE_OK ||
            found != (int16_t)RNNEDGE_GET16(x++)) {
            return 0;
        }
    }
    return 1;
}

// The CRC of states and scores of free steps behind a window.
static uint32_t run_back(const rnnedge_instance *to, uint16_t steps) {
    const rnnedge_model *model = to->model;
    rnnedge_feed_fn *feed = rnnedge_feeds(model);
    uint32_t crc = RNNEDGE_CRC_START;
    for (; feed != NULL && steps > 0; steps--) {
        feed(model, to->outputs, to->x);
        rnnedge_model_step(model, to->state, to->x, to->scratch);
        crc = rnnedge_crc_values(crc, to->state, RNNEDGE_GET16(&model->state_size));
        rnnedge_model_output(model, to->state, to->scratch, to->outputs);
        for (uint16_t i = 0; i < RNNEDGE_GET16(&model->outputs); i++) {
            const uint32_t score = (uint32_t)to->outputs[i];
            const int16_t halves[2] = {(int16_t)(uint16_t)(score & 0xFFFFu),
                                       (int16_t)(uint16_t)(score >> 16)};
            crc = rnnedge_crc_values(crc, halves, 2);
        }
    }
    return ~crc;
}

// 1 if scores are those in flash.
static int equal(const int32_t scores[], const int32_t *expected, uint16_t n) {
    for (; n > 0; n--) {
        if (*scores++ != (int32_t)RNNEDGE_GET32(expected++)) {
            return 0;
        }
    }
    return 1;
}

rnnedge_status rnnedge_selftest(rnnedge_instance *instance, const rnnedge_golden *golden) {
    if (rnnedge_sample(instance) == NULL || golden == NULL) {
        return RNNEDGE_ERR_NULL;
    }
    const rnnedge_model *model = instance->model;
    const uint8_t whole = RNNEDGE_GET8(&model->bidirectional);
    const uint16_t inputs = RNNEDGE_GET16(&model->inputs);
    const uint16_t outputs = RNNEDGE_GET16(&model->outputs);
    const uint16_t steps = RNNEDGE_GET16(&golden->steps);
    const uint32_t skip = whole ? rnnedge_last_scores(model, steps) : 0;
    const float *before = RNNEDGE_GETP(const float *, &golden->before);
    const float *raw = RNNEDGE_GETP(const float *, &golden->raw);
    const int16_t *x = RNNEDGE_GETP(const int16_t *, &golden->x);
    const int32_t *scores = RNNEDGE_GETP(const int32_t *, &golden->scores);
    const uint32_t *states = RNNEDGE_GETP(const uint32_t *, &golden->states);
    const uint32_t *free = RNNEDGE_GETP(const uint32_t *, &golden->free);
    const uint16_t back = RNNEDGE_GET16(&golden->back);
    rnnedge_status status = RNNEDGE_OK;
    for (uint16_t left = RNNEDGE_GET16(&golden->windows); left > 0; left--) {
        const uint32_t crc =
            whole ? run_whole(instance, x, steps) : run_steps(instance, golden, before, x);
        if (crc != RNNEDGE_GET32(states) || !normalises(instance, raw, x) ||
            !equal(instance->outputs + skip, scores, outputs) ||
            (back != 0 && run_back(instance, back) != RNNEDGE_GET32(free))) {
            status = RNNEDGE_ERR_MISMATCH;
            break;
        }
        raw += rnnedge_raw_values(model);
        x += (uint32_t)steps * inputs;
        scores += outputs;
        states++;
        free += back != 0;
        before = before == NULL ? NULL : before + RNNEDGE_GET16(&golden->n_before);
    }
    rnnedge_reset(instance);
    return status;
}
