/* verify.c -- run windows from the serial line through a model and answer every state and score.
 *
 * Built with APP_HEADER (the model's header), APP_MODEL (its name), APP_PREFIX (the prefix of its
 * macros) and, for a model that sees whole windows, APP_WINDOW. Little-endian binary stream;
 * rnnedge/targets/stream.py is the other end:
 *
 *   in    "RNNV" u32 raw (0: x is int16 as quantised, 1: x is float in raw units)
 *         u32 windows  u32 steps (with APP_WINDOW the model's window)
 *   out   "RNNV" u32 abi  u32 inputs  u32 outputs  u32 values  u32 states a window  u8 sha256[32]
 *   each window, from a zero state:
 *     each step:  in x[inputs]    out int16 state[values]
 *     then        out int32 scores[outputs]
 *   with APP_WINDOW, each window:
 *     in x[steps][inputs]         out int16 outputs of all layers[values], int32 scores[outputs]
 *   with APP_GENERATES, for models with free steps, a start or an encoder:
 *     in, behind steps: u32 features (1: each window has those of a start)
 *         u32 encode (steps of the encoder)  u32 back (free steps); states a window are the sum of
 *         encode, steps and back
 *     each window, from a zero state:
 *       in float features[] in raw units, if there are any; no answer
 *       each encoder step:        in float of the encoder's raw sample[], out int16 state[values]
 *       each step as above;       then, if steps > 0, out int32 scores[outputs]
 *       each free step:           out int16 state[values], int32 scores[outputs]
 *   A raw sample of ids is one float. Features and encoder samples are always raw.
 *   out   "DONE" u32 bytes of stack that a step (or window) used
 */
#include "port.h"
#include APP_HEADER

#include "../src/flash.h"

#define CAT_(a, b) a##b
#define CAT(a, b) CAT_(a, b)
#define SIZE(what) CAT(APP_PREFIX, what)

// Sized by the model's macros; their sizes are what the report calls RAM.
#ifdef APP_WINDOW
int16_t app_state[SIZE(_BUFFER_SIZE)];
static int16_t app_window[SIZE(_WINDOW)][SIZE(_INPUTS)];
static int32_t app_scores[SIZE(_WINDOW_SCORES) * SIZE(_OUTPUTS)];
#else
int16_t app_state[SIZE(_STATE_SIZE)];
static int32_t app_scores[SIZE(_OUTPUTS)];
#endif
int32_t app_scratch[SIZE(_SCRATCH_SIZE)];

static int16_t app_x[SIZE(_INPUTS)];
static float app_raw[SIZE(_RAW_VALUES)];

// What an instruction counter starts and stops at. They must stay functions.
void app_count_begin(void);
void app_count_end(void);

__attribute__((noinline)) void app_count_begin(void) {
    __asm__ volatile("/* begin */"); // equal functions would be merged at link time
}

__attribute__((noinline)) void app_count_end(void) {
    __asm__ volatile("/* end */");
}

// "RNNV" and "DONE"
#define APP_MAGIC UINT32_C(0x564E4E52)
#define APP_DONE UINT32_C(0x454E4F44)

// A model may have any name, so every name here starts with app_, local ones too.

// Bytes of stack below the call of the first step; it is the same in every step.
static size_t app_stack;

static void app_stack_begin(void) {
    if (app_stack == 0) {
        port_stack_mark();
    }
}

static void app_stack_end(uintptr_t app_sp) {
    if (app_stack == 0) {
        app_stack = port_stack_used(app_sp);
    }
}

static void app_must(rnnedge_status app_status) {
    if (app_status != RNNEDGE_OK) {
        port_exit(1);
    }
}

// The next sample into app_x.
static void app_sample(uint8_t app_is_raw) {
    if (app_is_raw == 0) {
        port_read(app_x, sizeof app_x);
    } else {
        port_read(app_raw, sizeof app_raw);
        app_must(rnnedge_model_quantize(&APP_MODEL, app_x, app_raw));
    }
}

#ifdef APP_WINDOW

#define VALUES SIZE(_LAYER_VALUES)
#define STATES(steps) 1

// One window; the count is that of a window.
static void app_run_window(uint8_t app_is_raw, uint32_t app_steps) {
    if (app_steps != SIZE(_WINDOW)) {
        port_exit(1);
    }
    for (uint32_t app_t = 0; app_t < app_steps; app_t++) {
        app_sample(app_is_raw);
        for (uint32_t app_i = 0; app_i < SIZE(_INPUTS); app_i++) {
            app_window[app_t][app_i] = app_x[app_i];
        }
    }
    app_stack_begin();
    app_count_begin();
    const rnnedge_status app_status = rnnedge_model_window(&APP_MODEL, app_window[0], SIZE(_WINDOW),
                                                           app_state, app_scratch, app_scores);
    app_count_end();
    app_stack_end(port_stack_pointer());
    app_must(app_status);
    port_write(app_state, 2 * VALUES);
    port_write(app_scores + (SIZE(_WINDOW_SCORES) - 1) * SIZE(_OUTPUTS), 4 * SIZE(_OUTPUTS));
}

#else

#define VALUES SIZE(_STATE_SIZE)
#define STATES(steps) (steps)

// One step of the x that is there, and its state.
static void app_step(void) {
    app_stack_begin();
    app_count_begin();
    const rnnedge_status app_status = rnnedge_model_step(&APP_MODEL, app_state, app_x, app_scratch);
    app_count_end();
    app_stack_end(port_stack_pointer());
    app_must(app_status);
    port_write(app_state, sizeof app_state);
}

static void app_output(void) {
    app_must(rnnedge_model_output(&APP_MODEL, app_state, app_scratch, app_scores));
    port_write(app_scores, sizeof app_scores);
}

#ifdef APP_GENERATES

static uint32_t app_features, app_encode, app_back;

// Features and encoder: what the first step finds.
static void app_first_state(void) {
#if SIZE(_FEATURES) > 0
    if (app_features != 0) {
        float app_of[SIZE(_FEATURES)];
        port_read(app_of, sizeof app_of);
        app_must(rnnedge_model_start(&APP_MODEL, app_state, app_of, app_scratch));
    }
#endif
#if SIZE(_ENCODER_INPUTS) > 0
    for (uint32_t app_left = app_encode; app_left > 0; app_left--) {
        float app_of[SIZE(_ENCODER_RAW_VALUES)];
        int16_t app_own[SIZE(_ENCODER_INPUTS)];
        const rnnedge_model *app_encoder = rnnedge_model_encoder(&APP_MODEL);
        port_read(app_of, sizeof app_of);
        app_must(rnnedge_model_quantize(app_encoder, app_own, app_of));
        app_must(rnnedge_model_step(app_encoder, app_state, app_own, app_scratch));
        port_write(app_state, sizeof app_state);
    }
#endif
}

#endif

// One window, step by step.
static void app_run_window(uint8_t app_is_raw, uint32_t app_steps) {
    rnnedge_model_reset(&APP_MODEL, app_state);
#ifdef APP_GENERATES
    app_first_state();
    uint8_t app_has_scores = app_steps > 0;
#endif
    for (uint32_t app_left = app_steps; app_left > 0; app_left--) {
        app_sample(app_is_raw);
        app_step();
    }
#ifdef APP_GENERATES
    if (app_has_scores) {
        app_output();
    }
    for (uint32_t app_left = app_back; app_left > 0; app_left--) {
        if (app_has_scores) {
            app_must(rnnedge_model_feed(&APP_MODEL, app_scores, app_x));
        } else {
            for (uint32_t app_i = 0; app_i < SIZE(_INPUTS); app_i++) {
                app_x[app_i] = 0;
            }
        }
        app_step();
        app_output();
        app_has_scores = 1;
    }
#else
    app_output();
#endif
}

#endif

#ifdef APP_GENERATES
#undef STATES
#define STATES(steps) (app_encode + (steps) + app_back)
#endif

// noinline: there are many calls, and an AVR has little program memory
static __attribute__((noinline)) void app_send(uint32_t app_value) {
    port_write(&app_value, sizeof app_value);
}

static __attribute__((noinline)) uint32_t app_receive(void) {
    uint32_t app_value;
    port_read(&app_value, sizeof app_value);
    return app_value;
}

int main(void) {
    port_init();
    app_must(rnnedge_model_check(&APP_MODEL));
    app_receive();
    const uint8_t app_is_raw = (uint8_t)app_receive();
    uint32_t app_windows = app_receive();
    const uint32_t app_steps = app_receive();
#ifdef APP_GENERATES
    app_features = app_receive();
    app_encode = app_receive();
    app_back = app_receive();
#endif
    app_send(APP_MAGIC);
    app_send(RNNEDGE_ABI);
    app_send(SIZE(_INPUTS));
    app_send(SIZE(_OUTPUTS));
    app_send(VALUES);
    app_send(STATES(app_steps));
    const uint8_t *app_sha256 = RNNEDGE_GETP(const uint8_t *, &APP_MODEL.sha256);
    for (uint8_t app_left = 32; app_left > 0; app_left--) {
        const uint8_t app_byte = RNNEDGE_GET8(app_sha256++);
        port_write(&app_byte, 1);
    }
    for (; app_windows > 0; app_windows--) {
        app_run_window(app_is_raw, app_steps);
    }
    app_send(APP_DONE);
    app_send((uint32_t)app_stack);
    port_exit(0);
}
