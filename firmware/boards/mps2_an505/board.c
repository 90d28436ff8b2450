/* board.c -- Arm MPS2-AN505 (Cortex-M33, secure state).
 *
 * Addresses: Arm application note 505. Runs unchanged in qemu-system-arm -M mps2-an505.
 */
#define BOARD_UART 0x50200000u
#include "cmsdk_uart.h"
