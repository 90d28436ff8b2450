/* board.c -- ATmega328P (the Arduino Uno's chip): USART 0 by polling, exit by sleeping.
 *
 * Start-up is avr-libc's. The simulator reads the exit code from GPIOR0 when the core sleeps with
 * interrupts off; on the chip that stops it.
 */
#include "board.h"
#include "port.h"

#include <avr/io.h>

void board_uart_init(void) {
    UCSR0A = 1 << U2X0;
    UBRR0 = 0; // as fast as it goes: F_CPU / 8
    UCSR0B = 1 << RXEN0 | 1 << TXEN0;
}

uint8_t board_uart_get(void) {
    while ((UCSR0A & 1 << RXC0) == 0) {
    }
    return UDR0;
}

void board_uart_put(uint8_t byte) {
    while ((UCSR0A & 1 << UDRE0) == 0) {
    }
    UDR0 = byte;
}

void port_exit(int code) {
    while ((UCSR0A & 1 << UDRE0) == 0) {
    }
    GPIOR0 = (uint8_t)code;
    SMCR = 1 << SE;
    for (;;) {
        __asm__ volatile("cli\n sleep");
    }
}
