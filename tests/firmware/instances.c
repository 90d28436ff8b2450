/* instances.c -- in place of firmware/app/verify.c: the same stream, answered by an instance.
 *
 * Samples come as floats in raw units, or as int16 counts. The self-test runs first, and after each
 * step the instance is saved and restored; every other check ends the program. A window must make
 * a result ready at its last step, and only there.
 */
#include "port.h"
#include APP_HEADER

#define CAT_(a, b) a##b
#define CAT(a, b) CAT_(a, b)
#define SIZE(what) CAT(APP_PREFIX, what)

// The golden windows, too; the tests' model is called so.
#include "net/net_golden.c"

#ifdef APP_WINDOW
#define VALUES SIZE(_LAYER_VALUES)
#else
#define VALUES SIZE(_STATE_SIZE)
#endif

static CAT(APP_MODEL, _memory) ram;
static rnnedge_instance sensor;
static uint8_t saved[SIZE(_SAVE_SIZE)];
static float raw[SIZE(_INPUTS)];
static int16_t counts[SIZE(_INPUTS)];

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

static rnnedge_status next(uint32_t is_raw) {
    if (is_raw != 0) {
        port_read(raw, sizeof raw);
        return rnnedge_step(&sensor, raw);
    }
    port_read(counts, sizeof counts);
    return rnnedge_step_counts(&sensor, CAT(APP_MODEL, _counts), counts);
}

// All that is kept goes through the bytes.
static void sleep(void) {
    must(rnnedge_save(&sensor, saved) == RNNEDGE_OK);
    for (uint16_t i = 0; i < SIZE(_MEMORY_STATE_SIZE); i++) {
        ram.state[i] = 0x5AA5;
    }
    for (uint16_t i = 0; i < SIZE(_X_SIZE); i++) {
        ram.x[i] = 0x5AA5;
    }
    must(rnnedge_reset(&sensor) == RNNEDGE_OK);
    saved[20] ^= 1;
    must(rnnedge_restore(&sensor, saved) == RNNEDGE_ERR_SAVED);
    saved[20] ^= 1;
    must(rnnedge_restore(&sensor, saved) == RNNEDGE_OK);
}

static void check_names(void) {
    char name[8];
    must(rnnedge_class_name(&APP_MODEL, 0, name, sizeof name) == RNNEDGE_OK);
    must(name[0] == 'c' && name[4] == 's' && name[6] == '0' && name[7] == 0);
    must(rnnedge_class_name(&APP_MODEL, RNNEDGE_REJECTED, name, sizeof name) == RNNEDGE_OK);
    must(name[0] == 'n' && name[3] == 'e' && name[4] == 0);
}

static void window(uint32_t is_raw, uint32_t steps) {
    for (uint32_t t = 1; t <= steps; t++) {
        must(next(is_raw) == (t == steps ? RNNEDGE_READY : RNNEDGE_OK));
#ifdef APP_WINDOW
        if (t == steps) {
            port_write(ram.state, 2 * VALUES);
        }
#else
        port_write(ram.state, 2 * VALUES);
#endif
        if (t < steps) {
            sleep();
        }
    }
    port_write(sensor.scores, 4 * SIZE(_OUTPUTS));
    must(sensor.result.label == sensor.result.best && sensor.result.probability > 0);
    must(sensor.result.best == (int16_t)rnnedge_argmax(sensor.scores, SIZE(_OUTPUTS)));
}

int main(void) {
    port_init();
    must(rnnedge_init(&sensor, &APP_MODEL, RNNEDGE_MEMORY(ram)) == RNNEDGE_OK);
    must(rnnedge_save_size(&APP_MODEL) == SIZE(_SAVE_SIZE));
    must(rnnedge_value(&APP_MODEL, 3) * 2 == rnnedge_value(&APP_MODEL, 6));
    must(rnnedge_selftest(&sensor, &CAT(APP_MODEL, _golden)) == RNNEDGE_OK);
    check_names();
    receive();
    const uint32_t is_raw = receive(), windows = receive(), steps = receive();
    answer(UINT32_C(0x564E4E52));
    answer(RNNEDGE_ABI);
    answer(SIZE(_INPUTS));
    answer(SIZE(_OUTPUTS));
    answer(VALUES);
#ifdef APP_WINDOW
    answer(1);
#else
    answer(steps);
#endif
    for (uint8_t words_of_hash = 8; words_of_hash > 0; words_of_hash--) {
        answer(0);
    }
    for (uint32_t i = 0; i < windows; i++) {
        window(is_raw, steps);
    }
    answer(UINT32_C(0x454E4F44));
    answer(0);
    port_exit(0);
}
