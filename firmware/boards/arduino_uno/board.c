/* board.c -- Arduino Uno (ATmega328P): USART 0 by polling, all three timers as a counter.
 *
 * Start-up is avr-libc's. port_exit stops the chip, and the PC gets no answers; opening the port
 * of the Uno resets it. A simulator reads the exit code from GPIOR0.
 *
 * ATmega328P data sheet: 10 sleep, 15-18 timers and their prescalers, 20 USART (at 16 MHz 115200
 * baud are 2.1 % too fast, as are those of the Uno's USB chip, which divides like this one).
 */
#include "board.h"
#include "port.h"

#include <avr/io.h>

void board_uart_init(void) {
    UCSR0A = 1 << U2X0;
    UBRR0 = (uint16_t)(BOARD_DIVISOR(BOARD_CLOCK / 8, BOARD_BAUD) - 1);
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

const uint32_t board_cycles_hz = BOARD_CLOCK;

// Timer 0 counts cycles, timer 2 every 32nd, timer 1 every 1024th: 26 bits to the cycle, without
// an interrupt, which would take cycles itself.
void board_cycles_init(void) {
    GTCCR = 1 << TSM | 1 << PSRASY | 1 << PSRSYNC; // hold the prescalers
    TCCR1B = 1 << CS12 | 1 << CS10;
    TCCR2B = 1 << CS21 | 1 << CS20;
    TCNT1 = 0;
    TCNT2 = 0;
    TCCR0B = 1 << CS00;
    TCNT0 = 0;
    GTCCR = 0; // all start
}

// Bits 26 to 31 are counted here, by whoever asks at least every 4 s (at 16 MHz).
uint32_t board_cycles(void) {
    static uint32_t cycles;
    const uint16_t coarse = TCNT1;
    const uint8_t middle = TCNT2;
    const uint8_t fine = TCNT0;
    // each is right but for the cycles within one of its ticks: the finer timer says which
    const uint16_t low = (uint16_t)(coarse << 10);
    const int16_t beyond = (int16_t)(uint16_t)(((uint16_t)(middle << 5) - low) << 3); // 13 bits
    uint32_t now = ((uint32_t)coarse << 10) + (uint32_t)(int32_t)(beyond >> 3);
    now += (uint32_t)(int32_t)(int8_t)(uint8_t)(fine - (uint8_t)now);
    cycles += (now - cycles) & 0x3FFFFFFu;
    return cycles;
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
