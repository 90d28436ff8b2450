/* verify.c -- run windows from the serial line through a model and answer every state and score.
 *
 * Built with APP_HEADER (the model's header), APP_MODEL (its name) and APP_PREFIX (the prefix of
 * its macros). Little-endian binary stream; rnnedge/targets/stream.py is the other end:
 *
 *   in    "RNNV" u32 raw (0: x is int16 as quantised, 1: x is float in raw units)
 *         u32 windows  u32 steps
 *   out   "RNNV" u32 abi  u32 inputs  u32 outputs  u32 state_size  u8 sha256[32]
 *   each window, from a zero state:
 *     each step:  in x[inputs]    out int16 state[state_size]
 *     then        out int32 scores[outputs]
 *   out   "DONE" u32 stack bytes used
 */
#include "port.h"
#include APP_HEADER

#define CAT_(a, b) a##b
#define CAT(a, b) CAT_(a, b)
#define SIZE(what) CAT(APP_PREFIX, what)

// Sized by the model's macros; their sizes are what the report calls RAM.
int16_t app_state[SIZE(_STATE_SIZE)];
int16_t app_scratch[SIZE(_SCRATCH_SIZE)];

static int16_t app_x[SIZE(_INPUTS)];
static float app_raw[SIZE(_INPUTS)];
static int32_t app_scores[SIZE(_OUTPUTS)];

// What an instruction counter starts and stops at. They must stay functions.
void app_count_begin(void);
void app_count_end(void);

__attribute__((noinline)) void app_count_begin(void) {
    __asm__ volatile("");
}

__attribute__((noinline)) void app_count_end(void) {
    __asm__ volatile("");
}

// A model may have any name, so every name here starts with app_, local ones too.

// One step; 0, or -1 if the stream ends or the input is refused.
static int app_step(uint32_t app_is_raw) {
    if (app_is_raw != 0) {
        if (port_read(app_raw, sizeof app_raw) != 0 ||
            rnnedge_quantize(&APP_MODEL, app_x, app_raw) != RNNEDGE_OK) {
            return -1;
        }
    } else if (port_read(app_x, sizeof app_x) != 0) {
        return -1;
    }
    app_count_begin();
    const rnnedge_status app_status = rnnedge_step(&APP_MODEL, app_state, app_x, app_scratch);
    app_count_end();
    return app_status == RNNEDGE_OK ? port_write(app_state, sizeof app_state) : -1;
}

static int app_run(void) {
    uint32_t app_request[4];
    const uint32_t app_answer[4] = {APP_MODEL.abi, APP_MODEL.inputs, APP_MODEL.outputs,
                                    APP_MODEL.state_size};
    if (port_read(app_request, sizeof app_request) != 0 || port_write("RNNV", 4) != 0 ||
        port_write(app_answer, sizeof app_answer) != 0 || port_write(APP_MODEL.sha256, 32) != 0) {
        return -1;
    }
    for (uint32_t app_window = 0; app_window < app_request[2]; app_window++) {
        rnnedge_reset(&APP_MODEL, app_state);
        for (uint32_t app_t = 0; app_t < app_request[3]; app_t++) {
            if (app_step(app_request[1]) != 0) {
                return -1;
            }
        }
        if (rnnedge_output(&APP_MODEL, app_state, app_scores) != RNNEDGE_OK ||
            port_write(app_scores, sizeof app_scores) != 0) {
            return -1;
        }
    }
    const uint32_t app_stack = port_stack_used();
    return port_write("DONE", 4) != 0 || port_write(&app_stack, sizeof app_stack) != 0 ? -1 : 0;
}

int main(void) {
    port_init();
    port_exit(rnnedge_check(&APP_MODEL) == RNNEDGE_OK && app_run() == 0 ? 0 : 1);
    return 1;
}
