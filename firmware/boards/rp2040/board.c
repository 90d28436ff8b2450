/* board.c -- Raspberry Pi Pico (RP2040, Cortex-M0+) at 125 MHz from its 12 MHz crystal: UART0.
 *
 * UART0 has TX on GPIO 0 and RX on GPIO 1. Nothing here emulates this chip.
 *
 * RP2040 Datasheet: 2.14 resets, 2.15 clocks, 2.16 XOSC, 2.18 PLL, 2.19 GPIO, 4.2 UART, 4.6 timer,
 * 4.7 watchdog (which divides the crystal for the timer); SysTick: DDI 0419, B3.3.
 */
#include "board.h"

#define REG(address) (*(volatile uint32_t *)(address))

// Writing to an alias of a register sets or clears bits.
#define RESETS 0x4000C000u
#define RESETS_SET REG(RESETS + 0x2000u)
#define RESETS_CLEAR REG(RESETS + 0x3000u)
#define RESETS_DONE REG(RESETS + 0x08u)
#define IO_BANK0 (1u << 5)
#define PADS_BANK0 (1u << 8)
#define PLL_SYS (1u << 12)
#define TIMER (1u << 21)
#define UART0 (1u << 22)

#define CLOCK_REG(offset) REG(0x40008000u + (offset))
#define CLOCK_REF_CTRL CLOCK_REG(0x30u)
#define CLOCK_REF_SELECTED CLOCK_REG(0x38u)
#define CLOCK_SYS_CTRL CLOCK_REG(0x3Cu)
#define CLOCK_SYS_SELECTED CLOCK_REG(0x44u)
#define CLOCK_PERI_CTRL CLOCK_REG(0x48u)

#define GPIO_CTRL(pin) REG(0x40014004u + 8 * (pin))
#define GPIO_PAD(pin) REG(0x4001C004u + 4 * (pin))

#define XOSC_CTRL REG(0x40024000u)
#define XOSC_STATUS REG(0x40024004u)
#define XOSC_STARTUP REG(0x4002400Cu)

#define PLL_REG(offset) REG(0x40028000u + (offset))
#define PLL_CS PLL_REG(0x0u)
#define PLL_PWR PLL_REG(0x4u)
#define PLL_FBDIV PLL_REG(0x8u)
#define PLL_PRIM PLL_REG(0xCu)

#define UART_REG(offset) REG(0x40034000u + (offset))
#define UART_DR UART_REG(0x00u)
#define UART_FR UART_REG(0x18u) // bit 4: nothing received, bit 5: transmit full
#define UART_IBRD UART_REG(0x24u)
#define UART_FBRD UART_REG(0x28u)
#define UART_LCR_H UART_REG(0x2Cu)
#define UART_CR UART_REG(0x30u)

#define TIMER_RAWL REG(0x40054028u)
#define WATCHDOG_TICK REG(0x4005802Cu)

#define SYST_CSR REG(0xE000E010u)
#define SYST_RVR REG(0xE000E014u)
#define SYST_CVR REG(0xE000E018u)

#define CRYSTAL_MHZ 12u
#define DIVIDERS (6u * 2u) // 1 to 7 each; the VCO in front of them takes 750 to 1600 MHz
#define MULTIPLIER (BOARD_CLOCK / 1000000u * DIVIDERS / CRYSTAL_MHZ)

// The divisor of the UART in 64ths.
#define UART_DIVISOR BOARD_DIVISOR(4u * BOARD_CLOCK, BOARD_BAUD)

// Into reset and out of it again.
static void renew(uint32_t blocks) {
    RESETS_SET = blocks;
    RESETS_CLEAR = blocks;
    while ((RESETS_DONE & blocks) != blocks) {
    }
}

// The core may run from the PLL already: after a fault the clocks are as they were.
static void clock_init(void) {
    XOSC_STARTUP = 64 * CRYSTAL_MHZ * 1000 / 256; // 64 ms
    XOSC_CTRL = 0xFAB000u | 0xAA0u;               // on, 1 to 15 MHz
    while ((XOSC_STATUS & 1u << 31) == 0) {
    }
    CLOCK_SYS_CTRL = 0; // from clk_ref
    while ((CLOCK_SYS_SELECTED & 1u << 0) == 0) {
    }
    CLOCK_REF_CTRL = 2; // from the crystal
    while ((CLOCK_REF_SELECTED & 1u << 2) == 0) {
    }
    renew(PLL_SYS);
    PLL_CS = 1; // the crystal, undivided
    PLL_FBDIV = MULTIPLIER;
    PLL_PWR = 1u << 2 | 1u << 3; // PLL and VCO on, no fractions, dividers still off
    while ((PLL_CS & 1u << 31) == 0) {
    }
    PLL_PRIM = 6u << 16 | 2u << 12;
    PLL_PWR = 1u << 2;
    CLOCK_SYS_CTRL = 1; // from clk_aux: the PLL
    while ((CLOCK_SYS_SELECTED & 1u << 1) == 0) {
    }
    CLOCK_PERI_CTRL = 1u << 11; // on, from clk_sys
}

void board_uart_init(void) {
    clock_init();
    renew(IO_BANK0 | PADS_BANK0 | UART0);
    GPIO_CTRL(0) = 2;                          // UART0 TX
    GPIO_CTRL(1) = 2;                          // UART0 RX
    GPIO_PAD(1) = 1u << 6 | 1u << 3 | 1u << 1; // input with pull-up and hysteresis
    UART_IBRD = UART_DIVISOR >> 6;
    UART_FBRD = UART_DIVISOR & 63;
    UART_LCR_H = 3u << 5 | 1u << 4; // 8 bits, FIFOs on
    UART_CR = 1u << 9 | 1u << 8 | 1;
}

uint8_t board_uart_get(void) {
    while ((UART_FR & 1u << 4) != 0) {
    }
    return (uint8_t)UART_DR;
}

void board_uart_put(uint8_t byte) {
    while ((UART_FR & 1u << 5) != 0) {
    }
    UART_DR = byte;
}

const uint32_t board_cycles_hz = BOARD_CLOCK;

// SysTick counts cycles, but only 24 bits of them, the timer microseconds: both from one crystal.
void board_cycles_init(void) {
    WATCHDOG_TICK = 1u << 9 | CRYSTAL_MHZ;
    renew(TIMER);
    SYST_RVR = 0xFFFFFFu;
    SYST_CVR = 0;
    SYST_CSR = 5; // on, clock of the core
}

uint32_t board_cycles(void) {
    const uint32_t fine = 0u - SYST_CVR; // it counts down
    const uint32_t coarse = TIMER_RAWL * (BOARD_CLOCK / 1000000u);
    // right but for the cycles within a microsecond, which 24 bits of the difference say
    return coarse + (uint32_t)((int32_t)((fine - coarse) << 8) >> 8);
}
