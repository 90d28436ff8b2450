/* board.c -- Arm MPS2-AN500 (Cortex-M7).
 *
 * Addresses: Arm application note 500. Runs unchanged in qemu-system-arm -M mps2-an500.
 */
#define BOARD_UART 0x40004000u
#include "cmsdk_uart.h"
