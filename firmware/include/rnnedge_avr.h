/* rnnedge_avr.h -- what exported GRU layers for AVR are written with, when built for speed.
 *
 * From program memory a weight costs LPM's 3 cycles of 8; as part of the code 1 of 6, but 10 bytes
 * instead of 1. So small layers are exported both ways, and a build for size (-Os, Arduino's
 * default) or with -DRNNEDGE_AVR_UNROLL=0 takes the stream of bytes.
 *
 * A layer's code is its product: unit after unit the accumulators of z, r, n (input) and n
 * (recurrent), with weights as immediates, then rnnedge_avr_gru_unit for the rest of the unit
 * (firmware/kernels/avr_gru.c has the registers). v' = narrow(value) + 128 are unsigned: a negative
 * weight subtracts.
 */
#ifndef RNNEDGE_AVR_UNROLL_H
#define RNNEDGE_AVR_UNROLL_H

#include "rnnedge.h"

#ifndef RNNEDGE_AVR_UNROLL
#if defined(__OPTIMIZE_SIZE__) || !defined(__OPTIMIZE__)
#define RNNEDGE_AVR_UNROLL 0
#else
#define RNNEDGE_AVR_UNROLL 1
#endif
#endif

#if RNNEDGE_AVR_UNROLL

#if defined(__AVR_HAVE_JMP_CALL__)
#define RNNEDGE_AVR_CALL "call"
#else
#define RNNEDGE_AVR_CALL "rcall"
#endif

#define RNNEDGE_AVR_BEGIN(name)                                                                    \
    static rnnedge_product_fn name;                                                                \
    static __attribute__((naked, noinline)) void name(                                             \
        rnnedge_cursor *at, const struct rnnedge_cell *cell, const void *v, uint8_t part,          \
        uint8_t gates, uint16_t units, int32_t acc[]) {                                            \
        (void)at, (void)cell, (void)v, (void)part, (void)gates, (void)units, (void)acc;            \
        __asm__ volatile("movw r30, r6");

#define RNNEDGE_AVR_END                                                                            \
    __asm__ volatile("ret");                                                                       \
    }

// accumulator += w * v
#define RNNEDGE_AVR_MAC(w, v, low, mid, high)                                                      \
    ".if " #w " > 0\n\tldi r23, " #w "\n\tmul r23, " #v "\n\tadd " #low ", r0\n\tadc " #mid        \
    ", r1\n\tadc " #high ", r2\n\t.elseif " #w " < 0\n\tldi r23, -(" #w ")\n\tmul r23, " #v        \
    "\n\tsub " #low ", r0\n\tsbc " #mid ", r1\n\tsbc " #high ", r2\n\t.endif\n\t"

// accumulator = w * v
#define RNNEDGE_AVR_MUL(w, v, low, mid, high)                                                      \
    ".if " #w " > 0\n\tldi r23, " #w "\n\tmul r23, " #v "\n\tmovw " #low ", r0\n\tmov " #high      \
    ", r2\n\t.else\n\tmovw " #low ", r2\n\tmov " #high ", r2\n\t.endif\n\t"                        \
    ".if " #w " < 0\n\tldi r23, -(" #w ")\n\tmul r23, " #v "\n\tsub " #low ", r0\n\tsbc " #mid     \
    ", r1\n\tsbc " #high ", r2\n\t.endif\n\t"

#define RNNEDGE_AVR_SHL(low, mid, high) "lsl " #low "\n\trol " #mid "\n\trol " #high "\n\t"

// A column of v that is not in a register: to r4.
#define RNNEDGE_AVR_LOAD(column) __asm__ volatile("ldd r4, Z+" #column);

// The first column of x, the others and those of h, the first of h: weights of z, r, n.
#define RNNEDGE_AVR_FIRST(v, z, r, n)                                                              \
    __asm__ volatile(RNNEDGE_AVR_MUL(z, v, r16, r17, r18) RNNEDGE_AVR_MUL(r, v, r20, r21, r19)     \
                         RNNEDGE_AVR_MUL(n, v, r24, r25, r22));
#define RNNEDGE_AVR_COLUMN(v, z, r, n)                                                             \
    __asm__ volatile(RNNEDGE_AVR_MAC(z, v, r16, r17, r18) RNNEDGE_AVR_MAC(r, v, r20, r21, r19)     \
                         RNNEDGE_AVR_MAC(n, v, r24, r25, r22));
#define RNNEDGE_AVR_NEXT(v, z, r, n)                                                               \
    __asm__ volatile(RNNEDGE_AVR_MAC(z, v, r16, r17, r18) RNNEDGE_AVR_MAC(r, v, r20, r21, r19)     \
                         RNNEDGE_AVR_MUL(n, v, r24, r25, r22));

// The end of x: its shift; n (input) makes place.
#define RNNEDGE_AVR_SHIFT(bits)                                                                    \
    __asm__ volatile(".rept " #bits "\n\t" RNNEDGE_AVR_SHL(r16, r17, r18) RNNEDGE_AVR_SHL(         \
        r20, r21, r19) RNNEDGE_AVR_SHL(r24, r25, r22) ".endr\n\tmovw r14, r24\n\tmov r13, r22");

#define RNNEDGE_AVR_BIAS(k, low, mid, high)                                                        \
    "subi " #low ", lo8(-(" #k "))\n\tsbci " #mid ", hi8(-(" #k "))\n\tsbci " #high ", hlo8(-(" #k \
    "))\n\t"

// The end of a unit: biases of n (recurrent), z, r, n (input, negative), row scales of z, r, n.
#define RNNEDGE_AVR_UNIT(nh, z, r, nx, mz, mr, mn)                                                 \
    __asm__ volatile(                                                                              \
        RNNEDGE_AVR_BIAS(nh, r24, r25, r22) RNNEDGE_AVR_BIAS(z, r16, r17, r18) RNNEDGE_AVR_BIAS(   \
            r, r20, r21, r19) "ldi r23, lo8(" #nx ")\n\tadd r14, r23\n\tldi r23, hi8(" #nx         \
                              ")\n\tadc r15, r23\n\tldi r23, hlo8(" #nx                            \
                              ")\n\tadc r13, r23\n\tldi r23, " #mz "\n\tldi r26, " #mr             \
                              "\n\tldi r27, " #mn "\n\t" RNNEDGE_AVR_CALL                          \
                              " rnnedge_avr_gru_unit\n\tmovw r30, r6");

#endif

#endif /* RNNEDGE_AVR_UNROLL_H */
