/* cmsdk_uart.h -- the UART of Arm's MPS2 and MPS3 boards.
 *
 * A board.c defines BOARD_UART, its address, and includes this.
 *
 * Arm Cortex-M System Design Kit, technical reference manual (DDI 0479), APB UART.
 */
#include "board.h"

#define UART_REG(offset) (*(volatile uint32_t *)(BOARD_UART + (offset)))
#define UART_DATA UART_REG(0x00u)
#define UART_STATE UART_REG(0x04u) // bit 0: transmit full, bit 1: receive full
#define UART_CTRL UART_REG(0x08u)  // bit 0: transmit on, bit 1: receive on
#define UART_BAUDDIV UART_REG(0x10u)

void board_uart_init(void) {
    UART_BAUDDIV = 16; // the smallest the UART takes; an emulated line has no baud rate
    UART_CTRL = 3;
    (void)UART_DATA; // also makes QEMU look for input now, not a second later
}

uint8_t board_uart_get(void) {
    while ((UART_STATE & 2) == 0) {
    }
    return (uint8_t)UART_DATA;
}

void board_uart_put(uint8_t byte) {
    while ((UART_STATE & 1) != 0) {
    }
    UART_DATA = byte;
}
