/* board.c -- BBC micro:bit (nRF51822, Cortex-M0): its UART on the pins of the USB interface.
 *
 * nRF51 Series Reference Manual, chapter 29. Runs unchanged in qemu-system-arm -M microbit.
 */
#include "board.h"

#define TIMER_START (*(volatile uint32_t *)0x40008000u)
#define TIMER_COMPARE (*(volatile uint32_t *)0x40008540u)
#define UART_REG(offset) (*(volatile uint32_t *)(0x40002000u + (offset)))
#define UART_STARTRX UART_REG(0x000u)
#define UART_STARTTX UART_REG(0x008u)
#define UART_RXDRDY UART_REG(0x108u)
#define UART_TXDRDY UART_REG(0x11Cu)
#define UART_ENABLE UART_REG(0x500u)
#define UART_PSELTXD UART_REG(0x50Cu)
#define UART_PSELRXD UART_REG(0x514u)
#define UART_RXD UART_REG(0x518u)
#define UART_TXD UART_REG(0x51Cu)
#define UART_BAUDRATE UART_REG(0x524u)

void board_uart_init(void) {
    UART_PSELTXD = 24;
    UART_PSELRXD = 25;
    UART_BAUDRATE = 0x10000000u; // 1 Mbaud
    UART_ENABLE = 4;
    UART_RXDRDY = 0;
    UART_STARTRX = 1;
    UART_STARTTX = 1;
    // QEMU looks for input when a timer starts, else not before a second has gone
    TIMER_COMPARE = 1;
    TIMER_START = 1;
}

uint8_t board_uart_get(void) {
    while (UART_RXDRDY == 0) {
    }
    UART_RXDRDY = 0; // before the read, which may bring the next byte
    return (uint8_t)UART_RXD;
}

void board_uart_put(uint8_t byte) {
    UART_TXDRDY = 0;
    UART_TXD = byte;
    while (UART_TXDRDY == 0) {
    }
}
