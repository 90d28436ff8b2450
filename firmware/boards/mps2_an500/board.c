/* board.c -- Arm MPS2-AN500 (Cortex-M7): UART 0, and timer 0 on the clock of the core.
 *
 * Addresses and clocks: Arm application note 500. Runs unchanged in qemu-system-arm -M mps2-an500.
 */
#define BOARD_UART 0x40004000u
#define BOARD_TIMER 0x40000000u
#include "cmsdk.h"
