/* chip.c -- what tests/boards/test_chips.py runs on a board: the port, piece by piece.
 *
 * Writes "boot" when it starts, then obeys commands of one byte:
 *
 *   'e' u32 n   answers n bytes, each with its bits inverted
 *   'c' u32 n   answers ticks a second, and the ticks that n turns of a loop take, both u32
 *   'm'         answers 256 values of the counter, u32 each
 *   's' u32 n   answers the bytes of stack that a function with n bytes, 16 or 256, uses, u32
 *   'r' u32 a   answers what is at address a, u32
 *   'f'         does what the core cannot do
 *   'o'         breaks the end of the stack and uses it
 *   'x' u8 code ends
 */
#include "port.h"

#include <stdbool.h>

static uint32_t variable;
static uint32_t initialised = 0x600DF00Du;

static uint32_t receive(void) {
    uint32_t value;
    port_read(&value, sizeof value);
    return value;
}

static void send(uint32_t value) {
    port_write(&value, sizeof value);
}

static void echo(uint32_t n) {
    for (; n > 0; n--) {
        uint8_t byte;
        port_read(&byte, 1);
        byte = (uint8_t)~byte;
        port_write(&byte, 1);
    }
}

// A turn is 2 instructions, or 4 cycles of an AVR.
static void loop(uint32_t n) {
#if defined(__AVR__)
    uint16_t turns = (uint16_t)n;
    __asm__ volatile("1: sbiw %0, 1\n brne 1b" : "+w"(turns));
#elif defined(__riscv)
    __asm__ volatile("1: addi %0, %0, -1\n bnez %0, 1b" : "+r"(n));
#else
    __asm__ volatile(".syntax unified\n1: subs %0, #1\n bne 1b" : "+l"(n) : : "cc");
#endif
}

static __attribute__((noinline)) void shallow(void) {
    volatile uint8_t bytes[16];
    bytes[0] = 1;
    (void)bytes[0];
}

static __attribute__((noinline)) void deep(void) {
    volatile uint8_t bytes[256];
    bytes[0] = 1;
    (void)bytes[0];
}

static void fault(void) {
#if defined(__AVR__)
    port_exit(3);
#elif defined(__riscv)
    __asm__ volatile("unimp");
#else
    __asm__ volatile("udf #0");
#endif
}

int main(void) {
    port_init();
    const bool started = variable == 0 && initialised == 0x600DF00Du;
    variable = 1;
    initialised = 0;
    port_write(started ? "boot" : "BAD!", 4);
    const uint32_t hz = port_cycles_hz();
    for (;;) {
        char command;
        port_read(&command, 1);
        if (command == 'e') {
            echo(receive());
        } else if (command == 'c') {
            const uint32_t n = receive();
            const uint32_t before = port_cycles();
            loop(n);
            const uint32_t after = port_cycles();
            send(hz);
            send(after - before);
        } else if (command == 'm') {
            for (uint32_t i = 0; i < 256; i++) {
                send(port_cycles());
            }
        } else if (command == 's') {
            const uint32_t n = receive();
            port_stack_mark();
            if (n == 256) {
                deep();
            } else {
                shallow();
            }
            send((uint32_t)port_stack_used(port_stack_pointer()));
        } else if (command == 'r') {
            send(*(const volatile uint32_t *)(uintptr_t)receive());
        } else if (command == 'f') {
            fault();
        } else if (command == 'o') {
            extern uint8_t _stack_limit[];
            *_stack_limit = 0;
            port_stack_mark();
        } else if (command == 'x') {
            uint8_t code;
            port_read(&code, 1);
            port_exit(code);
        }
    }
}
