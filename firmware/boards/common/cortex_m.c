/* cortex_m.c -- reset, vectors and faults of every Cortex-M board; exit.
 *
 * port_exit tells its code to whom serves semihosting: an emulator or a debugger. Where nobody
 * does, BKPT is a fault, and the board starts again; the PC sees that its session is gone. A fault
 * of the program is an exit with code 3.
 *
 * Armv6-M (DDI 0419), Armv7-M (DDI 0403) and Armv8-M (DDI 0553) Architecture Reference Manuals:
 * exception return, BKPT, AIRCR. Arm semihosting: SYS_EXIT_EXTENDED.
 */
#include "board.h"
#include "port.h"
#include "start.h"

#define REG(address) (*(volatile uint32_t *)(address))
#define SCB_AIRCR REG(0xE000ED0Cu)
#define SCB_CCR REG(0xE000ED14u)
#define SCB_CPACR REG(0xE000ED88u)

#define CRASHED 3 // exit code; rnnedge/targets/board.py explains it

extern uint32_t _stack_top; // from the linker script

void Reset_Handler(void);
void Fault_Handler(void);
void board_crashed(void);

static volatile uint32_t exiting;

static __attribute__((noreturn)) void restart(void) {
    SCB_AIRCR = 0x05FA0004u; // with its key: SYSRESETREQ
    for (;;) {
    }
}

void port_exit(int code) {
    exiting = 1;
    const uint32_t block[2] = {0x20026, (uint32_t)code}; // ADP_Stopped_ApplicationExit
    register uint32_t operation __asm__("r0") = 0x20;
    register const uint32_t *argument __asm__("r1") = block;
    __asm__ volatile("bkpt 0xAB" : : "r"(operation), "r"(argument) : "memory");
    restart();
}

__attribute__((weak)) void board_power(void) {
}

void Reset_Handler(void) {
    board_power();
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

// After a fault, with an empty stack. The second fault is that of BKPT: nobody serves semihosting.
void board_crashed(void) {
    if (exiting != 0) {
        restart();
    }
    port_exit(CRASHED);
}

// Return from the exception to board_crashed: a BKPT within a fault would lock the core up. The
// stack may be what failed, so a new frame goes to its top: r0-r3, r12, lr, pc, xPSR with Thumb.
__attribute__((naked)) void Fault_Handler(void) {
    __asm__ volatile(".syntax unified\n"
                     "ldr r0, =_stack_top\n"
                     "subs r0, #32\n"
                     "mov sp, r0\n"
                     "ldr r1, =board_crashed\n"
                     "subs r1, #1\n"
                     "str r1, [r0, #24]\n"
                     "movs r1, #1\n"
                     "lsls r1, #24\n"
                     "str r1, [r0, #28]\n"
                     "movs r1, #6\n"
                     "mvns r1, r1\n" // EXC_RETURN 0xFFFFFFF9: Thread mode, main stack, no FP frame
                     "bx r1\n"
                     ".ltorg\n");
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
