/* cortex_m.c -- reset and vectors of every Cortex-M board, exit through semihosting. */
#include "port.h"
#include "start.h"

#define REG(address) (*(volatile uint32_t *)(address))
#define SCB_CCR REG(0xE000ED14u)
#define SCB_CPACR REG(0xE000ED88u)

extern uint32_t _stack_top; // from the linker script

void Reset_Handler(void);
void Fault_Handler(void);

void port_exit(int code) {
    // SYS_EXIT_EXTENDED, ADP_Stopped_ApplicationExit (Arm semihosting, 0x20 and 0x20026)
    const uint32_t block[2] = {0x20026, (uint32_t)code};
    register uint32_t operation __asm__("r0") = 0x20;
    register const uint32_t *argument __asm__("r1") = block;
    __asm__ volatile("bkpt 0xAB" : : "r"(operation), "r"(argument) : "memory");
    for (;;) {
    }
}

void Reset_Handler(void) {
    // before any other C: the compiler may use these registers for everything
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
    SCB_CPACR |= 0xFu << 20; // FPU and MVE on
#endif
#if defined(__ARM_ARCH_8_1M_MAIN__) || defined(__ARM_FEATURE_MVE)
    SCB_CCR |= 1u << 19; // low-overhead loops on
#endif
    __asm__ volatile("dsb\n isb" : : : "memory");
    board_start();
}

void Fault_Handler(void) {
    port_exit(3);
}

// Initial stack pointer, then reset, NMI and the faults; no interrupts are used.
static const struct {
    uint32_t *stack_top;
    void (*handlers[15])(void);
} vectors __attribute__((section(".start"), used)) = {
    &_stack_top,
    {Reset_Handler, Fault_Handler, Fault_Handler, Fault_Handler, Fault_Handler, Fault_Handler,
     Fault_Handler},
};
