/* save.c -- an instance as bytes, the same on every core.
 *
 *      0  u8[8]   first bytes of the model's hash
 *      8  u8      2, the version of this list
 *      9  u8      votes that count
 *     10  u16     steps since the window began, or since the last result
 *     12  u16     rules: every
 *     14  u16     rules: reject
 *     16  u16     rules: majority
 *     18  i16[3]  result: label, best, probability
 *     24  i16[15] votes, the last one first, 0 behind those that count
 *         i32     a detector's level, only of models with a task (rnnedge_task)
 *         u32     steps since the state was reset or made, 65,536 of more; as before
 *         i16[]   state; of bidirectional models the window, 0 behind the samples so far
 *         u32     CRC-32 of all bytes before
 */
#include "crc.h"
#include "flash.h"
#include "instance.h"

#include <stddef.h>

#define HEAD_BYTES 54
#define HASH_BYTES 8
#define TASK_BYTES 8 // level and steps
#define SAVE_VERSION 2

// Where bytes are written or read, and the CRC so far.
typedef struct {
    uint8_t *out;
    const uint8_t *in;
    uint32_t crc;
} stream;

static void put(stream *to, uint8_t byte) {
    to->crc = rnnedge_crc32(to->crc, byte);
    *to->out++ = byte;
}

static void put16(stream *to, uint16_t value) {
    put(to, (uint8_t)(value & 255));
    put(to, (uint8_t)(value >> 8));
}

static void put32(stream *to, uint32_t value) {
    put16(to, (uint16_t)(value & 0xFFFFu));
    put16(to, (uint16_t)(value >> 16));
}

static uint16_t get16(const uint8_t *at) {
    return (uint16_t)(at[0] | (uint16_t)at[1] << 8);
}

static uint32_t get32(const uint8_t *at) {
    return get16(at) | (uint32_t)get16(at + 2) << 16;
}

// Bytes before the state.
static uint32_t head_of(const rnnedge_model *model) {
    return RNNEDGE_GETP(const rnnedge_task *, &model->task) == NULL ? HEAD_BYTES
                                                                    : HEAD_BYTES + TASK_BYTES;
}

// What is saved beside the head: the state, or the window of a bidirectional model.
static uint32_t values_of(const rnnedge_model *model) {
    return RNNEDGE_GET8(&model->bidirectional) != 0
               ? (uint32_t)RNNEDGE_GET16(&model->window) * RNNEDGE_GET16(&model->inputs)
               : RNNEDGE_GET16(&model->state_size);
}

static int16_t *memory_of(const rnnedge_instance *instance) {
    return RNNEDGE_GET8(&instance->model->bidirectional) != 0 ? instance->x : instance->state;
}

uint32_t rnnedge_save_size(const rnnedge_model *model) {
    return model == NULL ? 0 : head_of(model) + 2 * values_of(model) + 4;
}

rnnedge_status rnnedge_save(const rnnedge_instance *instance, uint8_t bytes[]) {
    if (rnnedge_sample(instance) == NULL || bytes == NULL) {
        return RNNEDGE_ERR_NULL;
    }
    stream to = {bytes, NULL, RNNEDGE_CRC_START};
    const uint8_t *sha256 = RNNEDGE_GETP(const uint8_t *, &instance->model->sha256);
    for (uint8_t i = 0; i < HASH_BYTES; i++) {
        put(&to, (uint8_t)RNNEDGE_GET8(sha256 + i));
    }
    put(&to, SAVE_VERSION);
    put(&to, instance->n_votes);
    put16(&to, instance->count);
    put16(&to, instance->rules.every);
    put16(&to, instance->rules.reject);
    put16(&to, instance->rules.majority);
    put16(&to, (uint16_t)instance->result.label);
    put16(&to, (uint16_t)instance->result.best);
    put16(&to, instance->result.probability);
    for (uint8_t i = 0; i < RNNEDGE_MAJORITY_MAX; i++) {
        put16(&to, i < instance->n_votes ? (uint16_t)instance->votes[i] : 0);
    }
    if (head_of(instance->model) != HEAD_BYTES) {
        put32(&to, (uint32_t)instance->level);
        put32(&to, instance->steps);
    }
    const uint32_t values = values_of(instance->model);
    const uint32_t used = RNNEDGE_GET8(&instance->model->bidirectional) != 0
                              ? (uint32_t)instance->count * RNNEDGE_GET16(&instance->model->inputs)
                              : values;
    const int16_t *from = memory_of(instance);
    for (uint32_t i = 0; i < values; i++) {
        put16(&to, i < used ? (uint16_t)from[i] : 0);
    }
    const uint32_t crc = ~to.crc;
    put32(&to, crc);
    return RNNEDGE_OK;
}

// 1 if the bytes are whole and those of this model.
static int belong(const rnnedge_model *model, const uint8_t bytes[], uint32_t size) {
    const uint8_t *sha256 = RNNEDGE_GETP(const uint8_t *, &model->sha256);
    uint32_t crc = RNNEDGE_CRC_START;
    for (uint32_t i = 0; i < size; i++) {
        crc = rnnedge_crc32(crc, bytes[i]);
    }
    for (uint8_t i = 0; i < HASH_BYTES; i++) {
        if (bytes[i] != RNNEDGE_GET8(sha256 + i)) {
            return 0;
        }
    }
    crc = ~crc;
    return bytes[8] == SAVE_VERSION && get32(bytes + size) == crc;
}

rnnedge_status rnnedge_restore(rnnedge_instance *instance, const uint8_t bytes[]) {
    if (rnnedge_sample(instance) == NULL || bytes == NULL) {
        return RNNEDGE_ERR_NULL;
    }
    const rnnedge_model *model = instance->model;
    const rnnedge_rules rules = {get16(bytes + 12), get16(bytes + 14), bytes[16]};
    const uint16_t count = get16(bytes + 10);
    const uint32_t head = head_of(model);
    if (!belong(model, bytes, head + 2 * values_of(model)) || bytes[17] != 0 ||
        rnnedge_check_rules(model, &rules) != RNNEDGE_OK || bytes[9] > rules.majority ||
        count >= rnnedge_period(model, &rules) ||
        (head != HEAD_BYTES && get32(bytes + HEAD_BYTES + 4) > RNNEDGE_STEPS_MAX)) {
        return RNNEDGE_ERR_SAVED;
    }
    instance->level = 0;
    instance->steps = 1; // a classifier has nothing to tell apart
    instance->current = 0;
    if (head != HEAD_BYTES) {
        instance->level = (int32_t)get32(bytes + HEAD_BYTES);
        instance->steps = get32(bytes + HEAD_BYTES + 4);
    }
    instance->n_votes = bytes[9];
    instance->count = count;
    instance->rules = rules;
    instance->result.label = (int16_t)get16(bytes + 18);
    instance->result.best = (int16_t)get16(bytes + 20);
    instance->result.probability = get16(bytes + 22);
    for (uint8_t i = 0; i < RNNEDGE_MAJORITY_MAX; i++) {
        instance->votes[i] = (int16_t)get16(bytes + 24 + 2 * i);
    }
    const uint32_t values = values_of(model);
    int16_t *to = memory_of(instance);
    for (uint32_t i = 0; i < values; i++) {
        to[i] = (int16_t)get16(bytes + head + 2 * i);
    }
    return RNNEDGE_OK;
}
