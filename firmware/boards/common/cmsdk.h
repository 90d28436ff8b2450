/* cmsdk.h -- the UART and, where BOARD_TIMER is given, the timer of Arm's MPS2 and MPS3 boards.
 *
 * A board.c defines the addresses BOARD_UART and BOARD_TIMER, BOARD_UART_CLOCK if that is not
 * BOARD_CLOCK, and includes this.
 *
 * Arm Cortex-M System Design Kit, technical reference manual (DDI 0479), APB UART and APB timer.
 */
#include "board.h"

#ifndef BOARD_UART_CLOCK
#define BOARD_UART_CLOCK BOARD_CLOCK
#endif

#define UART_REG(offset) (*(volatile uint32_t *)(BOARD_UART + (offset)))
#define UART_DATA UART_REG(0x00u)
#define UART_STATE UART_REG(0x04u) // bit 0: transmit full, bit 1: receive full
#define UART_CTRL UART_REG(0x08u)  // bit 0: transmit on, bit 1: receive on
#define UART_BAUDDIV UART_REG(0x10u)

void board_uart_init(void) {
    UART_BAUDDIV = BOARD_DIVISOR(BOARD_UART_CLOCK, BOARD_BAUD); // at least 16
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

#ifdef BOARD_TIMER

#define TIMER_REG(offset) (*(volatile uint32_t *)(BOARD_TIMER + (offset)))
#define TIMER_CTRL TIMER_REG(0x00u) // bit 0: on
#define TIMER_VALUE TIMER_REG(0x04u)
#define TIMER_RELOAD TIMER_REG(0x08u)

const uint32_t board_cycles_hz = BOARD_CLOCK;

void board_cycles_init(void) {
    TIMER_CTRL = 0;
    TIMER_RELOAD = UINT32_MAX;
    TIMER_VALUE = UINT32_MAX;
    TIMER_CTRL = 1;
}

uint32_t board_cycles(void) {
    return ~TIMER_VALUE; // it counts down
}

#endif
