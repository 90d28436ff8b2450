/* serial.c -- a model behind the serial line of a board or of a host's process.
 *
 * Built with APP_HEADER (the model's header), APP_MODEL (its name) and APP_PREFIX (the prefix of
 * its macros). docs/protocol.md describes what the line speaks; rnnedge/serialline is the other
 * end.
 */
#include "port.h"
#include APP_HEADER

#include "../serial/serial.h"

#define CAT_(a, b) a##b
#define CAT(a, b) CAT_(a, b)
#define SIZE(what) CAT(APP_PREFIX, what)

// A model may have any name, so every name here starts with app_, local ones too.

static CAT(APP_MODEL, _memory) app_memory;
static rnnedge_serial app_line;
static uintptr_t app_stack_top;

static void app_write(const uint8_t *app_bytes, uint16_t app_n) {
    port_write(app_bytes, app_n);
}

static uint16_t app_stack(void) {
    return (uint16_t)port_stack_used(app_stack_top);
}

int main(void) {
    port_init();
    app_stack_top = port_stack_pointer();
    port_stack_mark();
    const uint32_t app_hz = port_cycles_hz();
    rnnedge_serial_init(&app_line, &APP_MODEL, SIZE(_NAME), SIZE(_COUNTS),
                        RNNEDGE_MEMORY(app_memory), app_write, app_hz == 0 ? NULL : port_cycles,
                        app_hz);
    if (app_stack_top != 0) {
        app_line.stack = app_stack;
    }
    for (;;) {
        uint8_t app_byte;
        port_read(&app_byte, 1);
        rnnedge_serial_receive(&app_line, app_byte);
    }
}
