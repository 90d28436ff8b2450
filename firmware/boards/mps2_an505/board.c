/* board.c -- Arm MPS2-AN505 (Cortex-M33, secure state): UART 0, and timer 0 on the core's clock.
 *
 * Addresses and clocks: Arm application note 505. Runs unchanged in qemu-system-arm -M mps2-an505.
 */
#define BOARD_UART 0x50200000u
#define BOARD_TIMER 0x50000000u
#include "cmsdk.h"
