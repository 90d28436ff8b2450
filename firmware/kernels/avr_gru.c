/* avr_gru.c -- one step of a GRU whose reset gate acts after the product, narrow, for AVR. */
#include "../src/kernel.h"

#if RNNEDGE_KERNEL == RNNEDGE_KERNEL_AVR

#include "../src/flash.h"
#include "avr_asm.h"
#include "rnnedge_avr.h"

#include <stddef.h>

// v' of r24 int16 values at X, to Z; adds them up in r21:r20. r2 is zero. 15 cycles a value.
static __attribute__((naked, noinline, used)) void gru_expand(void) {
    __asm__ volatile(LINE("clr r20") LINE("clr r21") LINE("1: ld r22, X+") LINE("ld r23, X+")
                         LINE("subi r23, 0x80") LINE("lsl r22")
                             LINE("adc r23, r2") // round; past 255 is 0
                     LINE("sbc r23, r2")         // and here 255 again
                     LINE("st Z+, r23") LINE("add r20, r23") LINE("adc r21, r2") LINE("dec r24")
                         LINE("brne 1b") LINE("ret"));
}

// r25:r24:r23 = -128 * r21:r20.
static __attribute__((naked, noinline, used)) void gru_offset(void) {
    __asm__ volatile(LINE("movw r24, r20") LINE("clr r23") LINE("lsr r25") LINE("ror r24")
                         LINE("ror r23") LINE("com r25") LINE("com r24") LINE("neg r23")
                             LINE("sbci r24, 0xff") LINE("sbci r25, 0xff") LINE("ret"));
}

// The rest of a unit: from the accumulators A (z), B (r), C (n, recurrent) and the negative of
// n's part of x in r13:r15:r14, row scales in r23, r26, r27, to the new state at Y, which moves on.
// Leaves r5..r15 alone.
#define GRU_UNIT_1                                                                                 \
    /* tz = r17:r16 */                                                                             \
    SCALE(r16, r17, r18, r18)                                                                      \
    LOOKUP(r18, r16, r17)                                                                          \
    /* tr + 2^15 = T = r21:r20 */                                                                  \
    LINE("mov r23, r26")                                                                           \
    SCALE(r20, r21, r19, r19)                                                                      \
    LOOKUP(r19, r20, r21)                                                                          \
    LINE("subi r21, 0x80")

// r19:r18:r4 = (C >> 1) + ((C * tr) >> 16) + n's part of x, from the product P = C * T: as
// P - 2^15 C is C * tr, it is P >> 16, less 1 if C is odd and bit 15 of P is 0.
#define GRU_UNIT_2                                                                                 \
    LINE("mulsu r22, r21")                                                                         \
    LINE("movw r18, r0")                                                                           \
    LINE("mul r24, r20")                                                                           \
    LINE("mov r23, r1")                                                                            \
    LINE("mul r24, r21")                                                                           \
    LINE("add r23, r0")                                                                            \
    LINE("mov r4, r1")                                                                             \
    LINE("adc r4, r2")                                                                             \
    LINE("mul r25, r20")                                                                           \
    LINE("add r23, r0")                                                                            \
    LINE("adc r4, r1")                                                                             \
    LINE("adc r18, r2")                                                                            \
    LINE("adc r19, r2")                                                                            \
    LINE("mul r25, r21")                                                                           \
    LINE("add r4, r0")                                                                             \
    LINE("adc r18, r1")                                                                            \
    LINE("adc r19, r2")                                                                            \
    LINE("mulsu r22, r20")                                                                         \
    LINE("sbc r19, r2") /* MULSU leaves the sign in C */                                           \
    LINE("add r4, r0")                                                                             \
    LINE("adc r18, r1")                                                                            \
    LINE("adc r19, r2")                                                                            \
    LINE("sbrs r24, 0")                                                                            \
    LINE("ldi r23, 0xff")                                                                          \
    LINE("cpi r23, 0x80")                                                                          \
    LINE("sbc r4, r14")                                                                            \
    LINE("sbc r18, r15")                                                                           \
    LINE("sbc r19, r13")

// n = r25:r24; then h + (n - h)(1 - tz) / 2 as n + (h - n) M / 2^16, M = tz + 2^15, from the
// unsigned product of the low 16 bits of h - n, less M if h - n is negative.
#define GRU_UNIT_3                                                                                 \
    LINE("mov r23, r27")                                                                           \
    SCALE(r4, r18, r19, r19)                                                                       \
    LOOKUP(r19, r24, r25)                                                                          \
    LINE("subi r17, 0x80")                                                                         \
    LINE("ldd r18, Y+0")                                                                           \
    LINE("ldd r19, Y+1")                                                                           \
    LINE("sub r18, r24")                                                                           \
    LINE("sbc r19, r25")                                                                           \
    LINE("in r23, __SREG__")                                                                       \
    LINE("mul r19, r17")                                                                           \
    LINE("movw r20, r0")                                                                           \
    LINE("mul r18, r16")                                                                           \
    LINE("mov r22, r1")                                                                            \
    LINE("mul r19, r16")                                                                           \
    LINE("add r22, r0")                                                                            \
    LINE("adc r20, r1")                                                                            \
    LINE("adc r21, r2")                                                                            \
    LINE("mul r18, r17")                                                                           \
    LINE("add r22, r0")                                                                            \
    LINE("adc r20, r1")                                                                            \
    LINE("adc r21, r2")                                                                            \
    LINE("lsl r22") /* round */                                                                    \
    LINE("adc r24, r20")                                                                           \
    LINE("adc r25, r21")                                                                           \
    LINE("sbrs r23, 4") /* the sign of h - n, with 17 bits */                                      \
    LINE("movw r16, r2")                                                                           \
    LINE("sub r24, r16")                                                                           \
    LINE("sbc r25, r17")                                                                           \
    LINE("st Y+, r24")                                                                             \
    LINE("st Y+, r25")

#if RNNEDGE_AVR_UNROLL

__attribute__((naked, noinline)) void rnnedge_avr_gru_unit(void) {
    __asm__ volatile(GRU_UNIT_1);
    __asm__ volatile(GRU_UNIT_2);
    __asm__ volatile(GRU_UNIT_3 LINE("ret"));
}

// A layer whose product is code: v' in r8..r12 and from where r7:r6 and Z point.
// cell r25:r24, h r23:r22, x r21:r20, scratch r19:r18
static __attribute__((naked, noinline)) void gru_unrolled(const rnnedge_cell *cell, int16_t h[],
                                                          const int16_t x[], int32_t scratch[]) {
    (void)cell, (void)h, (void)x, (void)scratch;
    __asm__ volatile(SAVE_REGISTERS);
    __asm__ volatile(
        LINE("clr r2") LINE("clr r3") LINE("ldi r16, 4") LINE("mov r5, r16") LINE("movw r30, r24")
            LINE("lpm r6, Z+")                  // units
        LINE("adiw r30, 1") LINE("lpm r7, Z+")  // inputs
        LINE("adiw r30, 6") LINE("lpm r14, Z+") // product
        LINE("lpm r15, Z") LINE("movw r28, r22") LINE("movw r26, r20") LINE("movw r30, r18")
            LINE("mov r24, r7") LINE("rcall gru_expand") LINE("movw r26, r28") LINE("mov r24, r6")
                LINE("rcall gru_expand") LINE("movw r6, r18") LINE("movw r30, r18") LINE("ld r8, Z")
                    LINE("ldd r9, Z+1") LINE("ldd r10, Z+2") LINE("ldd r11, Z+3")
                        LINE("ldd r12, Z+4") LINE("movw r30, r14") LINE("icall") LINE("clr r1"));
    __asm__ volatile(RESTORE_REGISTERS LINE("ret"));
}

#endif

// cell r25:r24, h r23:r22, x r21:r20, scratch r19:r18. Scratch becomes what a unit reads one after
// another: low byte of h's end; -128 sum(x'); columns, x'; shift of x beyond that of h;
// -128 sum(h'); columns, h'; shift of h.
static __attribute__((naked, noinline)) void gru_narrow(const rnnedge_cell *cell, int16_t h[],
                                                        const int16_t x[], int32_t scratch[]) {
    (void)cell, (void)h, (void)x, (void)scratch;
    __asm__ volatile(SAVE_REGISTERS);
    __asm__ volatile(
        LINE("clr r2") LINE("clr r3") LINE("ldi r16, 4") LINE("mov r5, r16") LINE("movw r30, r24")
            LINE("lpm r6, Z+")                   // units
        LINE("adiw r30, 1") LINE("lpm r7, Z+")   // inputs
        LINE("adiw r30, 2") LINE("lpm r16, Z+")  // x_shift
        LINE("lpm r17, Z")                       // h_shift
        LINE("adiw r30, 5") LINE("lpm r14, Z+")  // weights
        LINE("lpm r15, Z") LINE("movw r26, r20") // x
        LINE("movw r10, r22")                    // h
        LINE("movw r8, r18") LINE("movw r28, r18") LINE("movw r30, r18") LINE("mov r0, r6") LINE(
            "lsl r0") LINE("add r0, r10") LINE("st Z, r0") LINE("adiw r30, 4") LINE("st Z+, r7")
            LINE("mov r24, r7") LINE("rcall gru_expand") LINE("rcall gru_offset")
                LINE("std Y+1, r23") LINE("std Y+2, r24") LINE("std Y+3, r25") LINE("mov r4, r23")
                    LINE("movw r12, r24") LINE("sub r16, r17") LINE("st Z+, r16")
                        LINE("movw r28, r30") LINE("adiw r30, 3") LINE("st Z+, r6")
                            LINE("movw r26, r10") LINE("mov r24, r6") LINE("rcall gru_expand")
                                LINE("rcall gru_offset") LINE("std Y+0, r23") LINE("std Y+1, r24")
                                    LINE("std Y+2, r25") LINE("st Z, r17")
        // z and r start with both offsets, that of h before the shift
        LINE("rjmp 2f") LINE("1: asr r25") LINE("ror r24") LINE("ror r23") LINE("2: dec r16")
            LINE("brpl 1b") LINE("add r23, r4") LINE("adc r24, r12") LINE("adc r25, r13")
                LINE("movw r28, r10") LINE("movw r30, r14") LINE("mov r10, r23")
                    LINE("mov r11, r24") LINE("mov r12, r25") LINE("movw r26, r8")
                        LINE("adiw r26, 1"));

    // a unit
    __asm__ volatile(
        LINE("3:") LINE("movw r16, r10") LINE("mov r18, r12") LINE("movw r20, r10")
            LINE("mov r19, r12") LINE("ld r14, X+") LINE("ld r15, X+") LINE("ld r13, X+")
                LINE("ld r6, X+") LINE("1: ld r4, X+") MAC(r16, r17, r18) MAC(r20, r21, r19) MAC(
                    r14, r15, r13) LINE("dec r6") LINE("brne 1b") LINE("ld r6, X+") LINE("rjmp 2f")
                    LINE("1:") SHIFT_LEFT(r16, r17, r18) SHIFT_LEFT(r20, r21, r19) SHIFT_LEFT(
                        r14, r15, r13) LINE("2: dec r6") LINE("brpl 1b") LINE("ld r24, X+")
                        LINE("ld r25, X+") LINE("ld r22, X+") LINE("ld r6, X+") LINE("1: ld r4, X+")
                            MAC(r16, r17, r18) MAC(r20, r21, r19) MAC(r24, r25, r22) LINE("dec r6")
                                LINE("brne 1b") LINE("ld r6, X+") LINE("rjmp 2f") LINE("1:")
                                    SHIFT_LEFT(r16, r17, r18) SHIFT_LEFT(r20, r21, r19)
                                        SHIFT_LEFT(r24, r25, r22) SHIFT_LEFT(r14, r15, r13)
                                            LINE("2: dec r6") LINE("brpl 1b") ADD3(r24, r25, r22)
                                                ADD3(r16, r17, r18) ADD3(r20, r21, r19)
                                                    ADD3(r14, r15, r13) LINE("lpm r23, Z+")
                                                        LINE("lpm r26, Z+") LINE("lpm r27, Z+")
                                                            LINE("movw r6, r30"));
#if RNNEDGE_AVR_UNROLL
    __asm__ volatile(LINE("rcall rnnedge_avr_gru_unit"));
#else
    __asm__ volatile(GRU_UNIT_1);
    __asm__ volatile(GRU_UNIT_2);
    __asm__ volatile(GRU_UNIT_3);
#endif
    __asm__ volatile(LINE("movw r26, r8") LINE("ld r23, X+") LINE("movw r30, r6") LINE(
        "cp r28, r23") LINE("breq 4f") LINE("rjmp 3b") LINE("4:") LINE("clr r1"));
    __asm__ volatile(RESTORE_REGISTERS LINE("ret"));
}

void rnnedge_gru_after_step(const rnnedge_cell *cell, int16_t h[], const int16_t x[],
                            int32_t scratch[]) {
    if (RNNEDGE_GETP(const int32_t *, &cell->bias) != NULL) {
        rnnedge_avr_wide(cell, h, x, scratch, RNNEDGE_AVR_GRU_AFTER);
        return;
    }
#if RNNEDGE_AVR_UNROLL
    if (RNNEDGE_GETP(rnnedge_product_fn *, &cell->product) != rnnedge_product_narrow) {
        gru_unrolled(cell, h, x, scratch);
        return;
    }
#endif
    gru_narrow(cell, h, x, scratch);
}

#endif
