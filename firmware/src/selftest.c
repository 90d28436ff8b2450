/* selftest.c -- the exported golden windows against this build. */
#include "flash.h"

#include <stddef.h>

// CRC-32 (IEEE 802.3, reflected, as in zlib) of one byte, bit by bit: small, not fast.
static uint32_t crc32_byte(uint32_t crc, uint8_t byte) {
    crc ^= byte;
    for (int bit = 0; bit < 8; bit++) {
        crc = (crc >> 1) ^ (UINT32_C(0xEDB88320) & (0 - (crc & 1)));
    }
    return crc;
}

static uint32_t crc32_state(uint32_t crc, const int16_t state[], uint16_t n) {
    for (uint16_t i = 0; i < n; i++) {
        const uint16_t v = (uint16_t)state[i];
        crc = crc32_byte(crc, (uint8_t)(v & 255));
        crc = crc32_byte(crc, (uint8_t)(v >> 8));
    }
    return crc;
}

// Run one window and return the CRC of what it left behind.
static uint32_t run_window(const rnnedge_model *model, const int16_t x[], uint16_t steps,
                           int16_t state[], int32_t scratch[], int32_t scores[]) {
    const uint16_t inputs = RNNEDGE_GET16(&model->inputs);
    uint32_t crc = UINT32_C(0xFFFFFFFF);
    if (RNNEDGE_GET8(&model->bidirectional) != 0) {
        const rnnedge_layer *layer = RNNEDGE_GETP(const rnnedge_layer *, &model->layers);
        rnnedge_model_window(model, x, steps, state, scratch, scores);
        for (uint8_t left = RNNEDGE_GET8(&model->n_layers); left > 0; left--, layer++) {
            const uint16_t outputs = RNNEDGE_GET16(&layer->outputs);
            const uint16_t times = RNNEDGE_GET8(&layer->sequences) ? steps : 1;
            for (uint16_t t = 0; t < times; t++) {
                crc = crc32_state(crc, state, outputs);
                state += outputs;
            }
        }
        return ~crc;
    }
    rnnedge_model_reset(model, state);
    for (uint16_t t = 0; t < steps; t++) {
        rnnedge_model_step(model, state, x, scratch);
        crc = crc32_state(crc, state, RNNEDGE_GET16(&model->state_size));
        x += inputs;
    }
    rnnedge_model_output(model, state, scratch, scores);
    return ~crc;
}

rnnedge_status rnnedge_selftest(const rnnedge_model *model, const rnnedge_golden *golden,
                                int16_t state[], int32_t scratch[], int32_t scores[]) {
    rnnedge_status status = rnnedge_model_check(model);
    if (status != RNNEDGE_OK) {
        return status;
    }
    if (golden == NULL || state == NULL || scratch == NULL || scores == NULL) {
        return RNNEDGE_ERR_NULL;
    }
    const uint16_t outputs = RNNEDGE_GET16(&model->outputs);
    const uint32_t window = (uint32_t)golden->steps * RNNEDGE_GET16(&model->inputs);
    const rnnedge_layer *last = RNNEDGE_GETP(const rnnedge_layer *, &model->layers);
    last += RNNEDGE_GET8(&model->n_layers) - 1;
    // rnnedge_model_window of a model with sequences gives the scores of every step: the last are
    // meant
    const uint32_t skip =
        RNNEDGE_GET8(&model->bidirectional) != 0 && RNNEDGE_GET8(&last->sequences) != 0
            ? (uint32_t)(golden->steps - 1) * outputs
            : 0;
    for (uint16_t i = 0; i < golden->windows; i++) {
        const uint32_t crc =
            run_window(model, golden->x + i * window, golden->steps, state, scratch, scores);
        if (crc != golden->states[i]) {
            return RNNEDGE_ERR_MISMATCH;
        }
        for (uint16_t row = 0; row < outputs; row++) {
            if (scores[skip + row] != golden->scores[(uint32_t)i * outputs + row]) {
                return RNNEDGE_ERR_MISMATCH;
            }
        }
    }
    return RNNEDGE_OK;
}
