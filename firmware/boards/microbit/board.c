/* board.c -- BBC micro:bit V1 (nRF51822, Cortex-M0): UART to the USB interface, TIMER0 as counter.
 *
 * The interface chip has TXD on P0.24 and RXD on P0.25 (micro:bit V1.5 schematic). The radio's
 * crystal gives all clocks: the core's own RC oscillator is too far off for a UART.
 *
 * nRF51 Series Reference Manual 3.0: 12 POWER, 13 CLOCK, 14 GPIO, 19 TIMER, 29 UART; nRF51822 PAN
 * 2.4, anomaly 16. Runs unchanged in qemu-system-arm -M microbit.
 */
#include "board.h"

#define REG(address) (*(volatile uint32_t *)(address))
#define CLOCK_HFCLKSTART REG(0x40000000u)
#define CLOCK_HFCLKSTARTED REG(0x40000100u)
#define POWER_RAMON REG(0x40000524u)

#define UART_REG(offset) REG(0x40002000u + (offset))
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

#define TIMER_REG(offset) REG(0x40008000u + (offset))
#define TIMER_START TIMER_REG(0x000u)
#define TIMER_STOP TIMER_REG(0x004u)
#define TIMER_CLEAR TIMER_REG(0x00Cu)
#define TIMER_CAPTURE1 TIMER_REG(0x044u)
#define TIMER_MODE TIMER_REG(0x504u)
#define TIMER_BITMODE TIMER_REG(0x508u)
#define TIMER_PRESCALER TIMER_REG(0x510u)
#define TIMER_CC0 TIMER_REG(0x540u)
#define TIMER_CC1 TIMER_REG(0x544u)

#define GPIO_OUTSET REG(0x50000508u)
#define GPIO_PIN_CNF(pin) REG(0x50000700u + 4 * (pin))

#define TXD 24u
#define RXD 25u

// Baud rate in 2^-32 of the 16 MHz clock; the register has no bits below 2^12.
#define BAUDRATE ((((uint64_t)BOARD_BAUD << 32) / BOARD_CLOCK + 0x800) & 0xFFFFF000u)

// Both blocks of RAM, which after some kinds of power-up are off (anomaly 16).
void board_power(void) {
    POWER_RAMON |= 3;
}

void board_uart_init(void) {
    CLOCK_HFCLKSTARTED = 0;
    CLOCK_HFCLKSTART = 1;
    while (CLOCK_HFCLKSTARTED == 0) {
    }
    GPIO_OUTSET = 1u << TXD; // the line is high while it rests
    GPIO_PIN_CNF(TXD) = 3;   // output
    GPIO_PIN_CNF(RXD) = 0;   // input
    UART_PSELTXD = TXD;
    UART_PSELRXD = RXD;
    UART_BAUDRATE = (uint32_t)BAUDRATE;
    UART_ENABLE = 4;
    UART_RXDRDY = 0;
    UART_STARTRX = 1;
    UART_STARTTX = 1;
    // QEMU looks for input when a timer starts, else not before a second has gone
    TIMER_CC0 = 1;
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

const uint32_t board_cycles_hz = BOARD_CLOCK;

// The only timer with 32 bits; undivided it has the clock of the core.
void board_cycles_init(void) {
    TIMER_STOP = 1;
    TIMER_MODE = 0;
    TIMER_BITMODE = 3;
    TIMER_PRESCALER = 0;
    TIMER_CLEAR = 1;
    TIMER_START = 1;
}

uint32_t board_cycles(void) {
    TIMER_CAPTURE1 = 1;
    return TIMER_CC1;
}
