/* board.c -- Arm MPS3-AN547 (Cortex-M55 with MVE, secure state).
 *
 * Addresses: Arm application note 547. Runs unchanged in qemu-system-arm -M mps3-an547.
 */
#define BOARD_UART 0x59303000u
#include "cmsdk_uart.h"
