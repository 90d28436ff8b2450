/* board.c -- STM32F405 (Cortex-M4F) on its internal 16 MHz oscillator: USART1, TIM2 as counter.
 *
 * USART1 has TX on PA9 and RX on PA10, which every board with this chip can use through a USB
 * adapter of 3.3 V. HSI is what the chip starts with: no crystal is needed, and it is within 1 %
 * at room temperature, which a UART stands.
 *
 * RM0090 Reference manual: 7 RCC, 8 GPIO, 18 TIM2, 30 USART; pins: STM32F405 data sheet, table 9.
 * Runs unchanged in qemu-system-arm -M netduinoplus2, whose RCC and DWT always read 0 and whose
 * TIM2 counts nanoseconds.
 */
#include "board.h"

#define REG(address) (*(volatile uint32_t *)(address))
#define TIM2_REG(offset) REG(0x40000000u + (offset))
#define TIM2_CR1 TIM2_REG(0x00u)
#define TIM2_EGR TIM2_REG(0x14u)
#define TIM2_CNT TIM2_REG(0x24u)
#define TIM2_PSC TIM2_REG(0x28u)
#define TIM2_ARR TIM2_REG(0x2Cu)

#define USART1_REG(offset) REG(0x40011000u + (offset))
#define USART1_SR USART1_REG(0x00u) // bit 5: byte received, bit 7: transmit empty
#define USART1_DR USART1_REG(0x04u)
#define USART1_BRR USART1_REG(0x08u)
#define USART1_CR1 USART1_REG(0x0Cu)

#define GPIOA_REG(offset) REG(0x40020000u + (offset))
#define GPIOA_MODER GPIOA_REG(0x00u)
#define GPIOA_PUPDR GPIOA_REG(0x0Cu)
#define GPIOA_AFRH GPIOA_REG(0x24u)

#define RCC_REG(offset) REG(0x40023800u + (offset))
#define RCC_AHB1ENR RCC_REG(0x30u)
#define RCC_APB1ENR RCC_REG(0x40u)
#define RCC_APB2ENR RCC_REG(0x44u)

void board_uart_init(void) {
    RCC_AHB1ENR |= 1u << 0; // GPIOA
    RCC_APB2ENR |= 1u << 4; // USART1
    (void)RCC_APB2ENR;      // the clock is there two cycles later
    // PA9 and PA10: pull-up, alternate function 7
    GPIOA_PUPDR = (GPIOA_PUPDR & ~(0xFu << 18)) | 0x5u << 18;
    GPIOA_AFRH = (GPIOA_AFRH & ~(0xFFu << 4)) | 0x77u << 4;
    GPIOA_MODER = (GPIOA_MODER & ~(0xFu << 18)) | 0xAu << 18;
    USART1_BRR = BOARD_DIVISOR(BOARD_CLOCK, BOARD_BAUD); // at least 16: 16 samples a bit
    USART1_CR1 = 1u << 13 | 1u << 3 | 1u << 2;           // on, transmit, receive
}

uint8_t board_uart_get(void) {
    while ((USART1_SR & 1u << 5) == 0) {
    }
    return (uint8_t)USART1_DR; // after the read of SR: also clears errors of the line
}

void board_uart_put(uint8_t byte) {
    while ((USART1_SR & 1u << 7) == 0) {
    }
    USART1_DR = byte;
}

const uint32_t board_cycles_hz = BOARD_CLOCK;

// TIM2 has 32 bits and the clock of the core, as APB1 is not divided.
void board_cycles_init(void) {
    RCC_APB1ENR |= 1u << 0; // TIM2
    (void)RCC_APB1ENR;
    TIM2_PSC = 0;
    TIM2_ARR = UINT32_MAX;
    TIM2_EGR = 1; // takes both over, starts from 0
    TIM2_CR1 = 1;
}

uint32_t board_cycles(void) {
    return TIM2_CNT;
}
