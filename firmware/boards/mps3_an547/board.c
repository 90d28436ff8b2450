/* board.c -- Arm MPS3-AN547 (Cortex-M55 with MVE, secure state): UART 0, the system counter.
 *
 * The system counter of the SSE-300 is no cycle counter: it runs beside the core, whatever the
 * core's clock does. Here both come from the same 32 MHz. The UART has a clock of 25 MHz.
 *
 * Addresses and clocks: Arm application note 547; Corstone SSE-300 technical reference manual
 * (101773), system counter. Runs unchanged in qemu-system-arm -M mps3-an547.
 */
#define BOARD_UART 0x59303000u
#define BOARD_UART_CLOCK 25000000
#include "cmsdk.h"

#define COUNTER_CONTROL (*(volatile uint32_t *)0x58100000u) // bit 0: on
#define COUNTER_LOW (*(volatile uint32_t *)0x48101000u)

const uint32_t board_cycles_hz = BOARD_CLOCK;

void board_cycles_init(void) {
    COUNTER_CONTROL = 1;
}

uint32_t board_cycles(void) {
    return COUNTER_LOW;
}
