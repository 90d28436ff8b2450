/* board.c -- Arm MPS2-AN386 (Cortex-M4F): start-up, CMSDK UART 0, exit through semihosting.
 *
 * Addresses: Arm application note 386. Runs unchanged in qemu-system-arm -M mps2-an386.
 */
#include "port.h"

#define REG(address) (*(volatile uint32_t *)(address))
#define CPACR REG(0xE000ED88u)
#define UART_DATA REG(0x40004000u)
#define UART_STATE REG(0x40004004u) // bit 0: transmit full, bit 1: receive full
#define UART_CTRL REG(0x40004008u)  // bit 0: transmit on, bit 1: receive on
#define UART_BAUDDIV REG(0x40004010u)

extern uint32_t _stack_top, _data, _edata, _data_load, _bss, _ebss;

int main(void);
void Reset_Handler(void);
void Fault_Handler(void);

#define STACK_PAINT 0xA5C35A3Cu

void port_init(void) {
    UART_BAUDDIV = 16; // the smallest the UART takes; an emulated line has no baud rate
    UART_CTRL = 3;
}

int port_read(void *data, uint32_t n) {
    uint8_t *bytes = (uint8_t *)data;
    for (uint32_t i = 0; i < n; i++) {
        while ((UART_STATE & 2) == 0) {
        }
        bytes[i] = (uint8_t)UART_DATA;
    }
    return 0;
}

int port_write(const void *data, uint32_t n) {
    const uint8_t *bytes = (const uint8_t *)data;
    for (uint32_t i = 0; i < n; i++) {
        while ((UART_STATE & 1) != 0) {
        }
        UART_DATA = bytes[i];
    }
    return 0;
}

uint32_t port_stack_used(void) {
    const uint32_t *word = &_ebss;
    while (*word == STACK_PAINT) {
        word++;
    }
    return (uint32_t)(&_stack_top - word) * 4;
}

void port_exit(int code) {
    // SYS_EXIT_EXTENDED, ADP_Stopped_ApplicationExit (Arm semihosting, 0x20 and 0x20026)
    const uint32_t block[2] = {0x20026, (uint32_t)code};
    register uint32_t operation __asm__("r0") = 0x20;
    register const uint32_t *argument __asm__("r1") = block;
    __asm__ volatile("bkpt 0xAB" : : "r"(operation), "r"(argument) : "memory");
    for (;;) {
    }
}

void Reset_Handler(void) {
    CPACR |= 0xFu << 20; // FPU on, before any C that may use it
    __asm__ volatile("dsb\n isb");
    const uint32_t *load = &_data_load;
    for (uint32_t *word = &_data; word < &_edata; word++) {
        *word = *load++;
    }
    for (uint32_t *word = &_bss; word < &_ebss; word++) {
        *word = 0;
    }
    register uint32_t *sp __asm__("sp");
    for (uint32_t *word = &_ebss; word < sp; word++) {
        *word = STACK_PAINT;
    }
    port_exit(main());
}

void Fault_Handler(void) {
    port_exit(3);
}

// Initial stack pointer, then reset, NMI and the faults; no interrupts are used.
static const struct {
    uint32_t *stack_top;
    void (*handlers[15])(void);
} vectors __attribute__((section(".vectors"), used)) = {
    &_stack_top,
    {Reset_Handler, Fault_Handler, Fault_Handler, Fault_Handler, Fault_Handler, Fault_Handler},
};
