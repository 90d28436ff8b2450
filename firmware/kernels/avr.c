/* avr.c -- primitives of docs/arithmetic.md for AVR, in constant time (libgcc's are not). */
#include "../src/kernel.h"

#if RNNEDGE_KERNEL == RNNEDGE_KERNEL_AVR

#include "avr_asm.h"

#if RNNEDGE_KNOTS

// Segment j = i for i >= 0; else j = -1 - i, and as the knots are odd, the knot is -knot[j + 1].
__attribute__((naked, noinline)) void rnnedge_avr_look(void) {
    __asm__ volatile("mov r1, r31\n\t"
                     "mov r0, r31\n\t"
                     "lsl r0\n\t"
                     "sbc r0, r0\n\t"
                     "eor r30, r0\n\t"
                     "eor r31, r0\n\t"
                     "cpse r31, r2\n\t" // a skipped instruction takes the cycle that it would run
                     "ldi r30, 0xff\n\t"
                     "sbrc r30, 7\n\t"
                     "ldi r30, 0x7f\n\t"
                     "lsl r30\n\t"
                     "ldi r31, 0\n\t"
                     "subi r30, lo8(-(rnnedge_tanh_knots))\n\t"
                     "sbci r31, hi8(-(rnnedge_tanh_knots))\n\t"
                     "lpm r4, Z+\n\t"
                     "lpm r5, Z+\n\t"
                     "lpm r18, Z+\n\t"
                     "lpm r31, Z\n\t"
                     // the difference: r0:r30
                     "mov r30, r18\n\t"
                     "mov r0, r31\n\t"
                     "sub r30, r4\n\t"
                     "sbc r0, r5\n\t"
                     "com r31\n\t"
                     "neg r18\n\t"
                     "sbci r31, 0xff\n\t"
                     "sbrc r1, 7\n\t"
                     "mov r4, r18\n\t"
                     "sbrc r1, 7\n\t"
                     "mov r5, r31\n\t"
                     "mov r31, r0\n\t" INTERPOLATE(r30, r31, r23, r4, r5) //
                     "movw r30, r4\n\t"
                     "ret\n\t");
}

#endif

// q in r25:r24:r23:r22
__attribute__((naked, noinline)) int16_t rnnedge_avr_lookup(int32_t q) {
    register int16_t result __asm__("r24");
    (void)q;
    __asm__ volatile("push r2\n\t"
                     "push r4\n\t"
                     "push r5\n\t"
                     "clr r2\n\t"
                     "ldi r18, 4\n\t"
                     "mov r5, r18\n\t"
                     "mov r18, r23\n\t"
                     "movw r30, r24\n\t" LOOKUP(r18, r24, r25) //
                     "pop r5\n\t"
                     "pop r4\n\t"
                     "pop r2\n\t"
                     "clr r1\n\t"
                     "ret\n\t"
                     : "=r"(result));
    return result;
}

// v in r25:r24, t in r23:r22
__attribute__((naked, noinline)) int16_t rnnedge_avr_gate(int16_t v, int16_t t) {
    register int16_t result __asm__("r24");
    (void)v, (void)t;
    __asm__ volatile("movw r20, r24\n\t"
                     "subi r23, 0x80\n\t"
                     "clr r18\n\t"
                     "mulsu r21, r23\n\t"
                     "movw r24, r0\n\t"
                     "mul r20, r22\n\t"
                     "mov r19, r1\n\t"
                     "mulsu r21, r22\n\t"
                     "sbc r25, r18\n\t" // MULSU leaves the sign in C
                     "add r19, r0\n\t"
                     "adc r24, r1\n\t"
                     "adc r25, r18\n\t"
                     "mul r20, r23\n\t"
                     "add r19, r0\n\t"
                     "adc r24, r1\n\t"
                     "adc r25, r18\n\t"
                     "lsl r19\n\t" // round
                     "adc r24, r18\n\t"
                     "adc r25, r18\n\t"
                     "clr r1\n\t"
                     "ret\n\t"
                     : "=r"(result));
    return result;
}

// h in r25:r24, n in r23:r22, t in r21:r20; the sum is explained in avr_gru.c
__attribute__((naked, noinline)) int16_t rnnedge_avr_blend(int16_t h, int16_t n, int16_t t) {
    register int16_t result __asm__("r24");
    (void)h, (void)n, (void)t;
    __asm__ volatile("clr r30\n\t"
                     "clr r31\n\t"
                     "subi r21, 0x80\n\t"
                     "movw r18, r24\n\t"
                     "sub r18, r22\n\t"
                     "sbc r19, r23\n\t"
                     "in r26, __SREG__\n\t"
                     "mul r19, r21\n\t"
                     "movw r24, r0\n\t"
                     "mul r18, r20\n\t"
                     "mov r27, r1\n\t"
                     "mul r19, r20\n\t"
                     "add r27, r0\n\t"
                     "adc r24, r1\n\t"
                     "adc r25, r31\n\t"
                     "mul r18, r21\n\t"
                     "add r27, r0\n\t"
                     "adc r24, r1\n\t"
                     "adc r25, r31\n\t"
                     "lsl r27\n\t" // round
                     "adc r24, r22\n\t"
                     "adc r25, r23\n\t"
                     "sbrs r26, 4\n\t" // the sign of h - n
                     "movw r20, r30\n\t"
                     "sub r24, r20\n\t"
                     "sbc r25, r21\n\t"
                     "clr r1\n\t"
                     "ret\n\t"
                     : "=r"(result));
    return result;
}

// r25:r24:r23:r22 += dot(int8 at Z, int16 at X) of r19:r18 columns, r17 is zero. MULS and MULSU
// leave the sign of their product in C.
#define DOT                                                                                        \
    LINE("rjmp 2f")                                                                                \
    LINE("1: lpm r20, Z+")                                                                         \
    LINE("ld r21, X+")                                                                             \
    LINE("mulsu r20, r21")                                                                         \
    LINE("sbc r24, r17")                                                                           \
    LINE("sbc r25, r17")                                                                           \
    LINE("add r22, r0")                                                                            \
    LINE("adc r23, r1")                                                                            \
    LINE("adc r24, r17")                                                                           \
    LINE("adc r25, r17")                                                                           \
    LINE("ld r21, X+")                                                                             \
    LINE("muls r20, r21")                                                                          \
    LINE("sbc r25, r17")                                                                           \
    LINE("add r23, r0")                                                                            \
    LINE("adc r24, r1")                                                                            \
    LINE("adc r25, r17")                                                                           \
    LINE("2: subi r18, 1")                                                                         \
    LINE("sbci r19, 0")                                                                            \
    LINE("brcc 1b")

// acc in r25:r24:r23:r22, w in r21:r20, v in r19:r18, n in r17:r16
__attribute__((naked, noinline)) int32_t rnnedge_avr_dot(int32_t acc, const void *w,
                                                         const rnnedge_v v[], uint16_t n) {
    register int32_t result __asm__("r22");
    (void)acc, (void)w, (void)v, (void)n;
    __asm__ volatile("push r17\n\t"
                     "movw r30, r20\n\t"
                     "movw r26, r18\n\t"
                     "movw r18, r16\n\t"
                     "clr r17\n\t" DOT //
                     "pop r17\n\t"
                     "clr r1\n\t"
                     "ret\n\t"
                     : "=r"(result));
    return result;
}

// at in r25:r24: w, bias, multiplier, x, inputs
__attribute__((naked, noinline)) int32_t rnnedge_avr_row(struct rnnedge_rows *at) {
    register int32_t result __asm__("r22");
    (void)at;
    __asm__ volatile("push r16\n\t"
                     "push r17\n\t"
                     "push r28\n\t"
                     "push r29\n\t"
                     "movw r28, r24\n\t"
                     "ldd r30, Y+2\n\t"
                     "ldd r31, Y+3\n\t"
                     "lpm r22, Z+\n\t"
                     "lpm r23, Z+\n\t"
                     "lpm r24, Z+\n\t"
                     "lpm r25, Z+\n\t"
                     "std Y+2, r30\n\t"
                     "std Y+3, r31\n\t"
                     "ldd r30, Y+0\n\t"
                     "ldd r31, Y+1\n\t"
                     "ldd r26, Y+6\n\t"
                     "ldd r27, Y+7\n\t"
                     "ldd r18, Y+8\n\t"
                     "ldd r19, Y+9\n\t"
                     "clr r17\n\t" DOT //
                     "std Y+0, r30\n\t"
                     "std Y+1, r31\n\t"
                     "ldd r30, Y+4\n\t"
                     "ldd r31, Y+5\n\t"
                     "lpm r20, Z+\n\t"
                     "lpm r21, Z+\n\t"
                     "std Y+4, r30\n\t"
                     "std Y+5, r31\n\t");
    // r25:r24:r23:r22 * r21:r20 >> 16, the low and the high half apart
    __asm__ volatile("clr r18\n\t"
                     "movw r16, r24\n\t"
                     // r31:r30 = (low * m) >> 16
                     "mul r23, r21\n\t"
                     "movw r30, r0\n\t"
                     "mul r22, r20\n\t"
                     "mov r19, r1\n\t"
                     "mul r23, r20\n\t"
                     "add r19, r0\n\t"
                     "adc r30, r1\n\t"
                     "adc r31, r18\n\t"
                     "mul r22, r21\n\t"
                     "add r19, r0\n\t"
                     "adc r30, r1\n\t"
                     "adc r31, r18\n\t"
                     // + high * m
                     "mulsu r17, r21\n\t"
                     "movw r24, r0\n\t"
                     "mul r16, r20\n\t"
                     "movw r22, r0\n\t"
                     "mulsu r17, r20\n\t"
                     "sbc r25, r18\n\t" // MULSU leaves the sign in C
                     "add r23, r0\n\t"
                     "adc r24, r1\n\t"
                     "adc r25, r18\n\t"
                     "mul r16, r21\n\t"
                     "add r23, r0\n\t"
                     "adc r24, r1\n\t"
                     "adc r25, r18\n\t"
                     "add r22, r30\n\t"
                     "adc r23, r31\n\t"
                     "adc r24, r18\n\t"
                     "adc r25, r18\n\t"
                     "pop r29\n\t"
                     "pop r28\n\t"
                     "pop r17\n\t"
                     "pop r16\n\t"
                     "clr r1\n\t"
                     "ret\n\t"
                     : "=r"(result));
    return result;
}

// score in r25:r24:r23:r22, relu in r20
__attribute__((naked, noinline)) int16_t rnnedge_avr_hidden(int32_t score, uint8_t relu) {
    register int16_t result __asm__("r24");
    (void)score, (void)relu;
    __asm__ volatile("mov r0, r23\n\t" // it fits int16 if the sign fills the rest
                     "lsl r0\n\t"
                     "sbc r0, r0\n\t"
                     "cp r24, r0\n\t"
                     "cpc r25, r0\n\t"
                     "breq 1f\n\t"
                     "ldi r22, 0xff\n\t"
                     "ldi r23, 0x7f\n\t"
                     "lsl r25\n\t"
                     "adc r22, r1\n\t" // or 0x8000
                     "adc r23, r1\n\t"
                     "1: movw r24, r22\n\t"
                     "tst r20\n\t"
                     "breq 2f\n\t"
                     "sbrc r25, 7\n\t"
                     "ldi r24, 0\n\t"
                     "sbrc r25, 7\n\t"
                     "ldi r25, 0\n\t"
                     "2: ret\n\t"
                     : "=r"(result));
    return result;
}

// Models name it; the steps of this kernel do without.
void rnnedge_product_narrow(rnnedge_cursor *at, const rnnedge_cell *cell, const void *v,
                            uint8_t part, uint8_t gates, uint16_t units, int32_t acc[]) {
    (void)at, (void)cell, (void)v, (void)part, (void)gates, (void)units, (void)acc;
    // The table, named in C: before link-time optimisation a linker does not see what assembler
    // names, and would leave it in the archive.
#if RNNEDGE_KNOTS
    __asm__ volatile("" : : "i"(rnnedge_tanh_knots));
#else
    __asm__ volatile("" : : "i"(rnnedge_tanh_table));
#endif
}

#endif
