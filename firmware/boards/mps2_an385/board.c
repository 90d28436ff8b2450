/* board.c -- Arm MPS2-AN385 (Cortex-M3).
 *
 * Addresses: Arm application note 385. Runs unchanged in qemu-system-arm -M mps2-an385.
 */
#define BOARD_UART 0x40004000u
#include "cmsdk_uart.h"
