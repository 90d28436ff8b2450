/* board.h -- what the folder of a board gives the code in common/: a serial line. */
#ifndef RNNEDGE_BOARD_H
#define RNNEDGE_BOARD_H

#include <stdint.h>

// The emulated line is endless: a read waits for its byte.
void board_uart_init(void);
uint8_t board_uart_get(void);
void board_uart_put(uint8_t byte);

#endif /* RNNEDGE_BOARD_H */
