/* board.h -- what the folder of a board gives the code in common/: a serial line and a counter.
 *
 * It is compiled with BOARD_CLOCK, the clock of the core in Hz, as board.toml has it.
 */
#ifndef RNNEDGE_BOARD_H
#define RNNEDGE_BOARD_H

#include <stdint.h>

// Bits a second of the serial line: 8 data bits, no parity, one stop bit.
#ifndef BOARD_BAUD
#define BOARD_BAUD 115200
#endif

// Clocks for one of what comes `rate` times a second, to the nearest.
#define BOARD_DIVISOR(clock, rate) (((clock) + (rate) / 2) / (rate))

// What a chip needs before its memory is used: no stack, no variables. Most need nothing.
void board_power(void);

// Brings up clock and pins too. The line never ends: a read waits for its byte.
void board_uart_init(void);
uint8_t board_uart_get(void);
void board_uart_put(uint8_t byte);

// A counter that runs upwards through all of 32 bits, and its ticks a second.
extern const uint32_t board_cycles_hz;
void board_cycles_init(void);
uint32_t board_cycles(void);

#endif /* RNNEDGE_BOARD_H */
