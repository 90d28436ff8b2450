/* port.h -- what a board or the host gives the applications in this folder. */
#ifndef RNNEDGE_PORT_H
#define RNNEDGE_PORT_H

#include <stddef.h>
#include <stdint.h>

// Bring up clock and serial line.
void port_init(void);

// Read or write exactly n bytes; at the end of the stream port_exit(1).
void port_read(void *data, size_t n);
void port_write(const void *data, size_t n);

// A counter that runs upwards and starts again from 0 after 2^32 - 1, and its ticks a second: 0 if
// there is none. Ask for them first, that starts it.
uint32_t port_cycles_hz(void);
uint32_t port_cycles(void);

// The stack pointer, or 0 where stack is not measured.
static inline uintptr_t port_stack_pointer(void) {
    uintptr_t sp = 0;
#if defined(__arm__)
    __asm__ volatile("mov %0, sp" : "=r"(sp));
#elif defined(__riscv)
    __asm__ volatile("mv %0, sp" : "=r"(sp));
#elif defined(__AVR__)
    __asm__ volatile("in %A0, __SP_L__\n in %B0, __SP_H__" : "=r"(sp));
#endif
    return sp;
}

// Paint the free stack, so that what is used from now on can be told.
void port_stack_mark(void);

// Bytes of stack used below sp since port_stack_mark, or 0 where it is not measured.
size_t port_stack_used(uintptr_t sp);

// Flush and stop; code is the exit code of the process or emulator.
__attribute__((noreturn)) void port_exit(int code);

#endif /* RNNEDGE_PORT_H */
