/* board.c -- SiFive HiFive1 (FE310-G000, RV32IMAC) on its 16 MHz crystal: UART0, mcycle.
 *
 * UART0 goes to the USB chip: GPIO 16 receives, GPIO 17 transmits.
 *
 * FE310-G000 Manual: PRCI (clocks), GPIO (I/O functions), UART; HiFive1 schematic for the pins.
 * Runs unchanged in qemu-system-riscv32 -M sifive_e, where mcycle counts instructions if -icount
 * is given.
 */
#include "board.h"

#define REG(address) (*(volatile uint32_t *)(address))
#define PRCI_HFROSCCFG REG(0x10008000u) // bit 30: on, bit 31: ready
#define PRCI_HFXOSCCFG REG(0x10008004u) // likewise
#define PRCI_PLLCFG REG(0x10008008u)    // bit 16: use it, 17: from the crystal, 18: bypass
#define PRCI_PLLOUTDIV REG(0x1000800Cu) // bit 8: do not divide
#define GPIO_IOF_EN REG(0x10012038u)
#define GPIO_IOF_SEL REG(0x1001203Cu)

#define UART_REG(offset) REG(0x10013000u + (offset))
#define UART_TXDATA UART_REG(0x00u) // bit 31: full
#define UART_RXDATA UART_REG(0x04u) // bit 31: empty
#define UART_TXCTRL UART_REG(0x08u) // bit 0: on
#define UART_RXCTRL UART_REG(0x0Cu)
#define UART_DIV UART_REG(0x18u)

#define UART_PINS (1u << 16 | 1u << 17)

// The boot loader may have left another clock: the core waits on the ring oscillator for this one.
static void clock_init(void) {
    PRCI_HFROSCCFG |= 1u << 30;
    PRCI_HFXOSCCFG = 1u << 30;
    while ((PRCI_HFROSCCFG & PRCI_HFXOSCCFG & 1u << 31) == 0) {
    }
    PRCI_PLLCFG &= ~(1u << 16);
    PRCI_PLLOUTDIV = 1u << 8;
    PRCI_PLLCFG = 1u << 18 | 1u << 17;
    PRCI_PLLCFG = 1u << 18 | 1u << 17 | 1u << 16;
}

void board_uart_init(void) {
    clock_init();
    GPIO_IOF_SEL &= ~UART_PINS;
    GPIO_IOF_EN |= UART_PINS;
    UART_DIV = BOARD_DIVISOR(BOARD_CLOCK, BOARD_BAUD) - 1;
    UART_TXCTRL = 1;
    UART_RXCTRL = 1;
}

uint8_t board_uart_get(void) {
    uint32_t data;
    do {
        data = UART_RXDATA;
    } while ((data & 1u << 31) != 0);
    return (uint8_t)data;
}

void board_uart_put(uint8_t byte) {
    while ((UART_TXDATA & 1u << 31) != 0) {
    }
    UART_TXDATA = byte;
}

const uint32_t board_cycles_hz = BOARD_CLOCK;

void board_cycles_init(void) {
    // mcycle runs from reset
}

uint32_t board_cycles(void) {
    uint32_t cycles;
    __asm__ volatile(".option push\n .option arch, +zicsr\n csrr %0, mcycle\n .option pop"
                     : "=r"(cycles));
    return cycles;
}
