/* port.c -- the port on a board: its serial line, its counter, the stack's high-water mark. */
#include "port.h"
#include "board.h"

#define STACK_PAINT 0xA5u
#define STACK_OVERFLOW 4 // exit code; rnnedge/targets/board.py explains it

// From the linker script. The stack may grow down to _stack_limit.
extern uint8_t _stack_limit[];

void port_init(void) {
    board_uart_init();
    *_stack_limit = STACK_PAINT;
}

void port_stack_mark(void) {
    if (*(volatile uint8_t *)_stack_limit != STACK_PAINT) {
        port_exit(STACK_OVERFLOW);
    }
    // there are no interrupts and no calls in the loop: nothing lives below the stack pointer
    const uintptr_t below = port_stack_pointer();
    for (volatile uint8_t *byte = _stack_limit; (uintptr_t)byte < below; byte++) {
        *byte = STACK_PAINT;
    }
}

void port_read(void *data, size_t n) {
    uint8_t *bytes = (uint8_t *)data;
    for (size_t i = 0; i < n; i++) {
        bytes[i] = board_uart_get();
    }
}

void port_write(const void *data, size_t n) {
    const uint8_t *bytes = (const uint8_t *)data;
    for (size_t i = 0; i < n; i++) {
        board_uart_put(bytes[i]);
    }
}

uint32_t port_cycles(void) {
    return board_cycles();
}

uint32_t port_cycles_hz(void) {
    board_cycles_init();
    return board_cycles_hz;
}

size_t port_stack_used(uintptr_t sp) {
    const volatile uint8_t *byte = _stack_limit;
    if (*byte != STACK_PAINT) {
        port_exit(STACK_OVERFLOW);
    }
    while (*byte == STACK_PAINT) {
        byte++;
    }
    return (size_t)(sp - (uintptr_t)byte);
}
