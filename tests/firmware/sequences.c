/* sequences.c -- in place of firmware/app/verify.c: the same stream, answered by an instance.
 *
 * For models that answer every step. The self-test runs first; after each step, also of an encoder
 * and a free one, the instance is saved and restored; every other check ends the program. Of a
 * detector the first score after the fed steps is the level instead, plus 2^30 for an anomaly.
 */
#include "port.h"
#include APP_HEADER

#define CAT_(a, b) a##b
#define CAT(a, b) CAT_(a, b)
#define SIZE(what) CAT(APP_PREFIX, what)

// The golden windows, too; the tests' model is called so.
#include "net/net_golden.c"

static CAT(APP_MODEL, _memory) ram;
static rnnedge_instance sensor;
static uint8_t saved[SIZE(_SAVE_SIZE)];
static float raw[SIZE(_RAW_VALUES)];
#ifdef APP_GENERATES
static uint32_t features, encode, back;
#endif

static void must(int condition) {
    if (!condition) {
        port_exit(1);
    }
}

static uint32_t receive(void) {
    uint32_t value;
    port_read(&value, sizeof value);
    return value;
}

static void answer(uint32_t value) {
    port_write(&value, sizeof value);
}

// The state after a step; all that is kept goes through the bytes.
static void told(void) {
    port_write(ram.state, sizeof ram.state);
    must(rnnedge_save(&sensor, saved) == RNNEDGE_OK);
    for (uint16_t i = 0; i < SIZE(_MEMORY_STATE_SIZE); i++) {
        ram.state[i] = 0x5AA5;
    }
    for (uint16_t i = 0; i < SIZE(_SCORES_SIZE); i++) {
        ram.scores[i] = 0x5AA5;
    }
    must(rnnedge_reset(&sensor) == RNNEDGE_OK);
    must(rnnedge_restore(&sensor, saved) == RNNEDGE_OK);
}

static void sequence(uint32_t steps) {
    int32_t scores[SIZE(_OUTPUTS)];
    must(rnnedge_reset(&sensor) == RNNEDGE_OK);
#ifdef APP_GENERATES
#if SIZE(_FEATURES) > 0
    if (features != 0) {
        float of[SIZE(_FEATURES)];
        port_read(of, sizeof of);
        must(rnnedge_start(&sensor, of) == RNNEDGE_OK);
    }
#endif
#if SIZE(_ENCODER_RAW_VALUES) > 0
    for (uint32_t left = encode; left > 0; left--) {
        float of[SIZE(_ENCODER_RAW_VALUES)];
        port_read(of, sizeof of);
        must(rnnedge_encode(&sensor, of) == RNNEDGE_OK);
        told();
    }
#endif
#endif
    for (uint32_t left = steps; left > 0; left--) {
        port_read(raw, sizeof raw);
        must(rnnedge_step(&sensor, raw) == RNNEDGE_READY);
        for (uint16_t i = 0; i < SIZE(_OUTPUTS); i++) {
            scores[i] = sensor.scores[i];
        }
        told();
    }
#ifdef NET_THRESHOLD
    must(sensor.result.label == RNNEDGE_NORMAL || sensor.result.label == RNNEDGE_ANOMALY);
    scores[0] = sensor.level + (sensor.result.label == RNNEDGE_ANOMALY ? INT32_C(1) << 30 : 0);
#endif
    if (steps > 0) {
        port_write(scores, sizeof scores);
    }
#ifdef APP_GENERATES
    for (uint32_t left = back; left > 0; left--) {
        must(rnnedge_step_back(&sensor) == RNNEDGE_READY);
        for (uint16_t i = 0; i < SIZE(_OUTPUTS); i++) {
            scores[i] = sensor.scores[i];
        }
        told();
        port_write(scores, sizeof scores);
    }
#endif
}

int main(void) {
    port_init();
    must(rnnedge_init(&sensor, &APP_MODEL, RNNEDGE_MEMORY(ram)) == RNNEDGE_OK);
    must(rnnedge_save_size(&APP_MODEL) == SIZE(_SAVE_SIZE));
    must(sensor.rules.every == SIZE(_EVERY));
    must(rnnedge_selftest(&sensor, &CAT(APP_MODEL, _golden)) == RNNEDGE_OK);
    receive();
    must(receive() == 1);
    const uint32_t windows = receive(), steps = receive();
#ifdef APP_GENERATES
    features = receive();
    encode = receive();
    back = receive();
#endif
    answer(UINT32_C(0x564E4E52));
    answer(RNNEDGE_ABI);
    answer(SIZE(_INPUTS));
    answer(SIZE(_OUTPUTS));
    answer(SIZE(_STATE_SIZE));
#ifdef APP_GENERATES
    answer(encode + steps + back);
#else
    answer(steps);
#endif
    for (uint8_t words_of_hash = 8; words_of_hash > 0; words_of_hash--) {
        answer(0);
    }
    for (uint32_t i = 0; i < windows; i++) {
        sequence(steps);
    }
    answer(UINT32_C(0x454E4F44));
    answer(0);
    port_exit(0);
}
