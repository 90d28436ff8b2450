/* port.c -- the port on a board: bytes through its serial line, the stack's high-water mark. */
#include "port.h"
#include "board.h"

#define STACK_PAINT 0xA5u
#define STACK_OVERFLOW 4 // exit code; rnnedge/targets/board.py explains it

// From the linker script. The stack may grow down from _stack_top to _stack_limit.
extern uint8_t _stack_limit[], _stack_top[];

static uintptr_t stack_pointer(void) {
    uintptr_t sp;
#if defined(__arm__)
    __asm__ volatile("mov %0, sp" : "=r"(sp));
#elif defined(__riscv)
    __asm__ volatile("mv %0, sp" : "=r"(sp));
#elif defined(__AVR__)
    __asm__ volatile("in %A0, __SP_L__\n in %B0, __SP_H__" : "=r"(sp));
#else
#error How is the stack pointer read here?
#endif
    return sp;
}

void port_init(void) {
    board_uart_init();
    volatile uint8_t *byte = _stack_limit;
    // there are no interrupts and no calls in the loop: nothing lives below the stack pointer
    for (const uintptr_t sp = stack_pointer(); (uintptr_t)byte < sp; byte++) {
        *byte = STACK_PAINT;
    }
}

int port_read(void *data, uint32_t n) {
    uint8_t *bytes = (uint8_t *)data;
    for (uint32_t i = 0; i < n; i++) {
        bytes[i] = board_uart_get();
    }
    return 0;
}

int port_write(const void *data, uint32_t n) {
    const uint8_t *bytes = (const uint8_t *)data;
    for (uint32_t i = 0; i < n; i++) {
        board_uart_put(bytes[i]);
    }
    return 0;
}

uint32_t port_stack_used(void) {
    const volatile uint8_t *byte = _stack_limit;
    if (*byte != STACK_PAINT) {
        port_exit(STACK_OVERFLOW);
    }
    while (*byte == STACK_PAINT) {
        byte++;
    }
    return (uint32_t)((uintptr_t)_stack_top - (uintptr_t)byte);
}
