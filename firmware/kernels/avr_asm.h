/* avr_asm.h -- pieces of assembler that the steps of avr_gru.c and avr_gates.c share.
 *
 * They are C macros, not the assembler's, so that every function is complete in itself, also with
 * link-time optimisation. In all of them
 *
 *     r0, r1   product        r2  zero; in avr_gru.c r3 too, so that they are a pair of zeros
 *     r5       4              Z   stream of constants, or where the look-up reads
 *
 * and the three accumulators that a pass works on side by side are
 *
 *     A  r18:r17:r16          B  r19:r21:r20          C  r22:r25:r24
 */
#ifndef RNNEDGE_AVR_ASM_H
#define RNNEDGE_AVR_ASM_H

#if !defined(__AVR_HAVE_MUL__)
#error "this kernel needs an AVR with MUL"
#endif

// An assembler line.
#define LINE(text) text "\n\t"

// The linker may make an RCALL of it (-mrelax).
#if defined(__AVR_HAVE_JMP_CALL__)
#define CALL(name) "call " name "\n\t"
#else
#define CALL(name) "rcall " name "\n\t"
#endif

// accumulator += weight of the stream * r4: 8 cycles.
#define MAC(low, mid, high)                                                                        \
    LINE("lpm r23, Z+")                                                                            \
    LINE("mul r23, r4")                                                                            \
    LINE("add " #low ", r0")                                                                       \
    LINE("adc " #mid ", r1")                                                                       \
    LINE("adc " #high ", r2")

// accumulator += 3 bytes of the stream: 12 cycles.
#define ADD3(low, mid, high)                                                                       \
    LINE("lpm r23, Z+")                                                                            \
    LINE("add " #low ", r23")                                                                      \
    LINE("lpm r23, Z+")                                                                            \
    LINE("adc " #mid ", r23")                                                                      \
    LINE("lpm r23, Z+")                                                                            \
    LINE("adc " #high ", r23")

#define SHIFT_LEFT(low, mid, high)                                                                 \
    LINE("lsl " #low)                                                                              \
    LINE("rol " #mid)                                                                              \
    LINE("rol " #high)

// Columns of rows A, B, C over v' at X, as many as `count` says, which gets 0.
#define COLUMNS(count)                                                                             \
    LINE("1: ld r4, X+")                                                                           \
    MAC(r16, r17, r18)                                                                             \
    MAC(r20, r21, r19)                                                                             \
    MAC(r24, r25, r22)                                                                             \
    LINE("dec " #count)                                                                            \
    LINE("brne 1b")

// The rows shifted left by `count`, which gets -1.
#define SHIFTS(count)                                                                              \
    LINE("rjmp 2f")                                                                                \
    LINE("1:")                                                                                     \
    SHIFT_LEFT(r16, r17, r18)                                                                      \
    SHIFT_LEFT(r20, r21, r19)                                                                      \
    SHIFT_LEFT(r24, r25, r22)                                                                      \
    LINE("2: dec " #count)                                                                         \
    LINE("brpl 1b")

// q = accumulator * r23: bits 16..31 to Z, bits 8..15 to `fraction`, which may be `high`, not
// `mid`. `high` is one of r16..r23.
#define SCALE(low, mid, high, fraction)                                                            \
    LINE("mulsu " #high ", r23")                                                                   \
    LINE("movw r30, r0")                                                                           \
    LINE("mul " #low ", r23")                                                                      \
    LINE("mov " #fraction ", r1")                                                                  \
    LINE("mul " #mid ", r23")                                                                      \
    LINE("add " #fraction ", r0")                                                                  \
    LINE("adc r30, r1")                                                                            \
    LINE("adc r31, r2")

#if RNNEDGE_KNOTS

// The look-up of Z (bits 16..31 of q) and `fraction`, to low:high, a pair; uses r4, r5, r18, r23.
#define LOOKUP(fraction, low, high)                                                                \
    LINE("mov r23, " #fraction)                                                                    \
    CALL("rnnedge_avr_look")                                                                       \
    LINE("movw " #low ", r30")

#else

// The look-up of Z (bits 16..31 of q) and `fraction`, to low:high; uses r4, r23.
// First sat8(Z) + 128: a skipped instruction takes the cycle that it would run.
#define LOOKUP(fraction, low, high)                                                                \
    LINE("subi r30, 0x80")                                                                         \
    LINE("sbci r31, 0xff")                                                                         \
    LINE("cpse r31, r2")                                                                           \
    LINE("ldi r30, 0xff")                                                                          \
    LINE("sbrc r31, 7")                                                                            \
    LINE("ldi r30, 0")                                                                             \
    LINE("mul r30, r5")                                                                            \
    LINE("movw r30, r0")                                                                           \
    LINE("subi r30, lo8(-(rnnedge_tanh_table))")                                                   \
    LINE("sbci r31, hi8(-(rnnedge_tanh_table))")                                                   \
    LINE("lpm r4, Z+")                                                                             \
    LINE("lpm r23, Z+")                                                                            \
    LINE("lpm " #low ", Z+")                                                                       \
    LINE("lpm " #high ", Z")                                                                       \
    INTERPOLATE(r4, r23, fraction, low, high)

#endif

// high:low, a knot, + ((difference * fraction + its high byte + 128) >> 8); at most
// 255 * 255 + 7 + 128 are in the last sum.
#define INTERPOLATE(difference_low, difference_high, fraction, low, high)                          \
    LINE("mul " #difference_high ", " #fraction)                                                   \
    LINE("add " #low ", r0")                                                                       \
    LINE("adc " #high ", r1")                                                                      \
    LINE("subi " #difference_high ", 0x80")                                                        \
    LINE("mul " #difference_low ", " #fraction)                                                    \
    LINE("add r0, " #difference_high)                                                              \
    LINE("adc " #low ", r1")                                                                       \
    LINE("adc " #high ", r2")

#define SAVE_REGISTERS                                                                             \
    LINE("push r2")                                                                                \
    LINE("push r3")                                                                                \
    LINE("push r4")                                                                                \
    LINE("push r5")                                                                                \
    LINE("push r6")                                                                                \
    LINE("push r7")                                                                                \
    LINE("push r8")                                                                                \
    LINE("push r9")                                                                                \
    LINE("push r10")                                                                               \
    LINE("push r11")                                                                               \
    LINE("push r12")                                                                               \
    LINE("push r13")                                                                               \
    LINE("push r14")                                                                               \
    LINE("push r15")                                                                               \
    LINE("push r16")                                                                               \
    LINE("push r17")                                                                               \
    LINE("push r28")                                                                               \
    LINE("push r29")

#define RESTORE_REGISTERS                                                                          \
    LINE("pop r29")                                                                                \
    LINE("pop r28")                                                                                \
    LINE("pop r17")                                                                                \
    LINE("pop r16")                                                                                \
    LINE("pop r15")                                                                                \
    LINE("pop r14")                                                                                \
    LINE("pop r13")                                                                                \
    LINE("pop r12")                                                                                \
    LINE("pop r11")                                                                                \
    LINE("pop r10")                                                                                \
    LINE("pop r9")                                                                                 \
    LINE("pop r8")                                                                                 \
    LINE("pop r7")                                                                                 \
    LINE("pop r6")                                                                                 \
    LINE("pop r5")                                                                                 \
    LINE("pop r4")                                                                                 \
    LINE("pop r3")                                                                                 \
    LINE("pop r2")

#endif /* RNNEDGE_AVR_ASM_H */
