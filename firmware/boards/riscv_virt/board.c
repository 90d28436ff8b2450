/* board.c -- QEMU's RISC-V board virt: an NS16550 UART, exit through its test device.
 *
 * Addresses: hw/riscv/virt.c in QEMU. Runs in qemu-system-riscv32 -M virt -bios none.
 */
#include "board.h"
#include "port.h"

#define TEST_DEVICE (*(volatile uint32_t *)0x100000u)
#define UART_REG(offset) (*(volatile uint8_t *)(0x10000000u + (offset)))
#define UART_DATA UART_REG(0u)
#define UART_STATE UART_REG(5u) // bit 0: byte received, bit 5: transmit empty

void board_uart_init(void) {
    // ready from the start; turning its FIFO on would drop what has come already
}

uint8_t board_uart_get(void) {
    while ((UART_STATE & 1) == 0) {
    }
    return UART_DATA;
}

void board_uart_put(uint8_t byte) {
    while ((UART_STATE & 0x20) == 0) {
    }
    UART_DATA = byte;
}

const uint32_t board_cycles_hz = 0; // the core has no clock

void board_cycles_init(void) {
}

uint32_t board_cycles(void) {
    return 0;
}

void port_exit(int code) {
    TEST_DEVICE = code == 0 ? 0x5555u : (uint32_t)code << 16 | 0x3333u;
    for (;;) {
    }
}
