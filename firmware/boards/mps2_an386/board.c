/* board.c -- Arm MPS2-AN386 (Cortex-M4F).
 *
 * Addresses: Arm application note 386. Runs unchanged in qemu-system-arm -M mps2-an386.
 */
#define BOARD_UART 0x40004000u
#include "cmsdk_uart.h"
