/* avr_gru.c -- one step of a narrow GRU, reset after, for AVR: all of it in assembler.
 *
 * Unit by unit: the accumulators of z and r over x and h, of n over x, of n over h; then the
 * look-ups, the reset, the new state. h' of all units is taken first, so that h is updated in
 * place.
 */
#include "../src/kernel.h"

#if RNNEDGE_KERNEL == RNNEDGE_KERNEL_AVR

#include "../src/flash.h"
#include "avr_asm.h"
#include "../include/rnnedge_avr.h"

#include <stddef.h>

// Not C functions either.
RNNEDGE_AVR_NAMED void rnnedge_avr_gru_expand(void);
RNNEDGE_AVR_NAMED void rnnedge_avr_gru_part(void);

// The rest of a unit: from the accumulators A (z), B (r), C (n, recurrent) and the negative of
// n's part of x in r13:r15:r14, row scales in r23, r26, r27, to the new state at Y, which moves on.
// Leaves r6..r15 alone.
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

// v' of r24 int16 values at X, to Z.
#define EXPAND(more)                                                                               \
    LINE("1: ld r22, X+")                                                                          \
    LINE("ld r23, X+")                                                                             \
    LINE("subi r23, 0x80")                                                                         \
    LINE("lsl r22")                                                                                \
    LINE("adc r23, r2") /* round; past 255 is 0 */                                                 \
    LINE("sbc r23, r2") /* and here 255 again */                                                   \
    LINE("st Z+, r23")                                                                             \
    more LINE("dec r24") LINE("brne 1b")

#if RNNEDGE_AVR_UNROLL

__attribute__((naked, noinline)) void rnnedge_avr_gru_unit(void) {
    __asm__ volatile(GRU_UNIT_1);
    __asm__ volatile(GRU_UNIT_2);
    __asm__ volatile(GRU_UNIT_3 "ret\n\t");
}

#endif

// EXPAND, and r25:r24:r23 = -128 * sum of v'.
__attribute__((naked, noinline)) void rnnedge_avr_gru_expand(void) {
    __asm__ volatile("clr r20\n\t"
                     "clr r21\n\t" EXPAND(LINE("add r20, r23") LINE("adc r21, r2")) //
                     "movw r24, r20\n\t"
                     "clr r23\n\t"
                     "lsr r25\n\t"
                     "ror r24\n\t"
                     "ror r23\n\t"
                     "com r25\n\t"
                     "com r24\n\t"
                     "neg r23\n\t"
                     "sbci r24, 0xff\n\t"
                     "sbci r25, 0xff\n\t"
                     "ret\n\t");
}

// Columns of three rows over a part of v, then their shift, both counted at X.
#define GRU_PART                                                                                   \
    LINE("ld r13, X+")                                                                             \
    COLUMNS(r13)                                                                                   \
    LINE("ld r13, X+")                                                                             \
    SHIFTS(r13)

#if RNNEDGE_KNOTS

__attribute__((naked, noinline)) void rnnedge_avr_gru_part(void) {
    __asm__ volatile(GRU_PART "ret\n\t");
}

#define PART CALL("rnnedge_avr_gru_part")
#else
#define PART GRU_PART
#endif

// cell r25:r24, h r23:r22, x r21:r20, scratch r19:r18
static __attribute__((naked, noinline)) void gru(const rnnedge_cell *cell, int16_t h[],
                                                 const int16_t x[], int32_t scratch[]) {
    (void)cell, (void)h, (void)x, (void)scratch;
    __asm__ volatile(SAVE_REGISTERS);
    __asm__ volatile("clr r2\n\t"
                     "clr r3\n\t"
                     "ldi r16, 4\n\t"
                     "mov r5, r16\n\t"
                     "movw r28, r22\n\t"
                     "movw r26, r20\n\t"
                     "movw r30, r24\n\t"
                     "lpm r12, Z+\n\t" // units
                     "adiw r30, 1\n\t"
                     "lpm r24, Z+\n\t" // inputs
                     "adiw r30, 2\n\t"
                     "lpm r16, Z+\n\t" // x_shift
                     "lpm r17, Z+\n\t" // h_shift
                     "adiw r30, 2\n\t"
                     "lpm r14, Z+\n\t" // product
                     "lpm r15, Z+\n\t"
                     "lpm r10, Z+\n\t" // weights
                     "lpm r11, Z\n\t"
                     "movw r30, r18\n\t");
#if RNNEDGE_AVR_UNROLL
    // A product that is code finds v' in r8..r12 and where r7:r6 and Z point, h at Y.
    __asm__ volatile("ldi r22, pm_lo8(rnnedge_product_narrow)\n\t"
                     "ldi r23, pm_hi8(rnnedge_product_narrow)\n\t"
                     "cp r14, r22\n\t"
                     "cpc r15, r23\n\t"
                     "brne 2f\n\t"
                     "rjmp 3f\n\t"
                     "2:\n\t" EXPAND() //
                     "movw r26, r28\n\t"
                     "mov r24, r12\n\t" EXPAND() //
                     "movw r6, r18\n\t"
                     "movw r30, r18\n\t"
                     "ld r8, Z\n\t"
                     "ldd r9, Z+1\n\t"
                     "ldd r10, Z+2\n\t"
                     "ldd r11, Z+3\n\t"
                     "ldd r12, Z+4\n\t"
                     "movw r30, r14\n\t"
                     "icall\n\t"
                     "clr r1\n\t");
    __asm__ volatile(RESTORE_REGISTERS "ret\n\t"
                                       "3:\n\t");
#endif
    // Scratch becomes what a unit reads one after another: low byte of h's end; -128 sum(x'), n's
    // start; columns, x', shift beyond that of h; shift of h; -128 sum(h'); columns, h', shift.
    __asm__ volatile("movw r8, r18\n\t"
                     "mov r0, r12\n\t"
                     "lsl r0\n\t"
                     "add r0, r28\n\t"
                     "st Z, r0\n\t"
                     "std Z+4, r24\n\t"
                     "adiw r30, 5\n\t" CALL("rnnedge_avr_gru_expand") //
                     "movw r26, r18\n\t"
                     "adiw r26, 1\n\t"
                     "st X+, r23\n\t"
                     "st X+, r24\n\t"
                     "st X, r25\n\t"
                     "mov r4, r23\n\t"
                     "movw r14, r24\n\t"
                     "sub r16, r17\n\t"
                     "st Z+, r16\n\t"
                     "st Z+, r17\n\t"
                     "movw r18, r30\n\t"
                     "std Z+3, r12\n\t"
                     "adiw r30, 4\n\t"
                     "movw r26, r28\n\t"
                     "mov r24, r12\n\t" CALL("rnnedge_avr_gru_expand") //
                     "st Z, r17\n\t"
                     "movw r26, r18\n\t"
                     "st X+, r23\n\t"
                     "st X+, r24\n\t"
                     "st X, r25\n\t"
                     // r12:r11:r10, start of z and r: both, that of h before the shift
                     "movw r30, r10\n\t"
                     "rjmp 2f\n\t"
                     "1: asr r25\n\t"
                     "ror r24\n\t"
                     "ror r23\n\t"
                     "2: dec r16\n\t"
                     "brpl 1b\n\t"
                     "add r23, r4\n\t"
                     "adc r24, r14\n\t"
                     "adc r25, r15\n\t"
                     "mov r10, r23\n\t"
                     "mov r11, r24\n\t"
                     "mov r12, r25\n\t"
                     "movw r26, r8\n\t"
                     "adiw r26, 1\n\t"
                     "4:\n\t" // a unit
                     "movw r16, r10\n\t"
                     "mov r18, r12\n\t"
                     "movw r20, r10\n\t"
                     "mov r19, r12\n\t"
                     "ld r24, X+\n\t"
                     "ld r25, X+\n\t"
                     "ld r22, X+\n\t" PART //
                     "movw r14, r24\n\t"
                     "mov r24, r22\n\t"
                     "ld r6, X+\n\t"
                     "rjmp 2f\n\t"
                     "1:\n\t" SHIFT_LEFT(r14, r15, r24) //
                     "2: dec r6\n\t"
                     "brpl 1b\n\t"
                     "mov r6, r24\n\t"
                     "ld r24, X+\n\t"
                     "ld r25, X+\n\t"
                     "ld r22, X+\n\t" PART //
                     "mov r13, r6\n\t");
    __asm__ volatile(ADD3(r24, r25, r22) ADD3(r16, r17, r18) ADD3(r20, r21, r19)
                         ADD3(r14, r15, r13) //
                     "lpm r23, Z+\n\t"
                     "lpm r26, Z+\n\t"
                     "lpm r27, Z+\n\t"
                     "movw r6, r30\n\t");
#if RNNEDGE_AVR_UNROLL
    __asm__ volatile(CALL("rnnedge_avr_gru_unit"));
#else
    __asm__ volatile(GRU_UNIT_1);
    __asm__ volatile(GRU_UNIT_2);
    __asm__ volatile(GRU_UNIT_3);
#endif
    __asm__ volatile("movw r26, r8\n\t"
                     "ld r23, X+\n\t"
                     "movw r30, r6\n\t"
                     "cp r28, r23\n\t"
                     "breq 5f\n\t"
                     "rjmp 4b\n\t"
                     "5:\n\t"
                     "clr r1\n\t");
    __asm__ volatile(RESTORE_REGISTERS "ret\n\t");
}

void rnnedge_gru_after_step(const rnnedge_cell *cell, int16_t h[], const int16_t x[],
                            int32_t scratch[]) {
    if (RNNEDGE_GETP(const int32_t *, &cell->bias) == NULL) {
        gru(cell, h, x, scratch);
    } else {
        rnnedge_avr_wide(cell, h, x, scratch, RNNEDGE_AVR_GRU_AFTER);
    }
}

#endif
