/* avr.c -- the look-up for AVR, and the name of narrow products. */
#include "../src/kernel.h"

#if RNNEDGE_KERNEL == RNNEDGE_KERNEL_AVR

#include "avr_asm.h"

// q in r25:r24:r23:r22; tanh in r25:r24.
__attribute__((naked, noinline)) int16_t rnnedge_avr_lookup(int32_t q) {
    register int16_t tanh_of __asm__("r24");
    (void)q;
    __asm__ volatile(LINE("push r2") LINE("push r4") LINE("push r5") LINE("clr r2")
                         LINE("ldi r18, 4") LINE("mov r5, r18") LINE("mov r18, r23")
                             LINE("movw r30, r24") LOOKUP(r18, r24, r25) LINE("pop r5")
                                 LINE("pop r4") LINE("pop r2") LINE("clr r1") LINE("ret")
                     : "=r"(tanh_of));
    return tanh_of;
}

// Models name it; the steps of this kernel do without.
void rnnedge_product_narrow(rnnedge_cursor *at, const rnnedge_cell *cell, const void *v,
                            uint8_t part, uint8_t gates, uint16_t units, int32_t acc[]) {
    (void)at, (void)cell, (void)v, (void)part, (void)gates, (void)units, (void)acc;
}

#endif
