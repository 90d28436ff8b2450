/* selftest.c -- the exported golden windows against this build. */
#include "fixed.h"

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

rnnedge_status rnnedge_selftest(const rnnedge_model *model, const rnnedge_golden *golden,
                                int16_t state[], int16_t scratch[], int32_t scores[]) {
    rnnedge_status status = rnnedge_check(model);
    if (status != RNNEDGE_OK) {
        return status;
    }
    if (golden == NULL || state == NULL || scratch == NULL || scores == NULL) {
        return RNNEDGE_ERR_NULL;
    }
    const int16_t *x = golden->x;
    for (uint16_t window = 0; window < golden->windows; window++) {
        uint32_t crc = UINT32_C(0xFFFFFFFF);
        rnnedge_reset(model, state);
        for (uint16_t t = 0; t < golden->steps; t++) {
            rnnedge_step(model, state, x, scratch);
            crc = crc32_state(crc, state, model->state_size);
            x += model->inputs;
        }
        rnnedge_output(model, state, scores);
        if (~crc != golden->states[window]) {
            return RNNEDGE_ERR_MISMATCH;
        }
        for (uint16_t i = 0; i < model->outputs; i++) {
            if (scores[i] != golden->scores[(uint32_t)window * model->outputs + i]) {
                return RNNEDGE_ERR_MISMATCH;
            }
        }
    }
    return RNNEDGE_OK;
}
