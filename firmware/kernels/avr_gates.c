/* avr_gates.c -- narrow steps of GRU (reset before), LSTM and RNN, for AVR. */
#include "../src/kernel.h"

#if RNNEDGE_KERNEL == RNNEDGE_KERNEL_AVR

#include "../src/flash.h"
#include "avr_asm.h"

#include <stddef.h>

// What a pass over rows knows of its layer; the assembler below reads it in this order.
typedef struct RNNEDGE_MAY_ALIAS {
    const uint8_t *first; // the part of v with the larger shift
    uint8_t first_columns;
    uint8_t between; // shift of the first part
    const uint8_t *second;
    uint8_t second_columns;
    uint8_t after;    // shift of both
    uint8_t start[3]; // of accumulators
} frame;

// v' of n values; returns their sum.
static uint16_t expand(uint8_t v[], const void *values, uint8_t n) {
    uint16_t sum = 0;
    uint8_t low, high;
    __asm__ volatile("1: ld %[low], X+\n\t"
                     "ld %[high], X+\n\t"
                     "subi %[high], 0x80\n\t"
                     "lsl %[low]\n\t"
                     "adc %[high], r1\n\t" // round; past 255 is 0
                     "sbc %[high], r1\n\t" // and here 255 again
                     "st Z+, %[high]\n\t"
                     "add %A[sum], %[high]\n\t"
                     "adc %B[sum], r1\n\t"
                     "dec %[n]\n\t"
                     "brne 1b\n\t"
                     : [sum] "+r"(sum), [n] "+r"(n), "+x"(values),
                       "+z"(v), [low] "=&r"(low), [high] "=&d"(high)
                     :
                     : "memory");
    return sum;
}

// int16 to where r9:r8 point.
#define OUT(low, high)                                                                             \
    LINE("movw r30, r8")                                                                           \
    LINE("st Z+, " #low)                                                                           \
    LINE("st Z+, " #high)                                                                          \
    LINE("movw r8, r30")

// q = accumulator * r23, >> r14, limited to 0..32767; to where r9:r8 point.
#define RELU(low, mid, high)                                                                       \
    LINE("mulsu " #high ", r23")                                                                   \
    LINE("movw r30, r0")                                                                           \
    LINE("mul " #low ", r23")                                                                      \
    LINE("mov r7, r0")                                                                             \
    LINE("mov r4, r1")                                                                             \
    LINE("mul " #mid ", r23")                                                                      \
    LINE("add r4, r0")                                                                             \
    LINE("adc r30, r1")                                                                            \
    LINE("adc r31, r2")                                                                            \
    LINE("mov r0, r14")                                                                            \
    LINE("1: asr r31")                                                                             \
    LINE("ror r30")                                                                                \
    LINE("ror r4")                                                                                 \
    LINE("ror r7")                                                                                 \
    LINE("dec r0")                                                                                 \
    LINE("brne 1b")                                                                                \
    LINE("or r30, r31")                                                                            \
    LINE("sbrc r4, 7")                                                                             \
    LINE("mov r30, r5")                                                                            \
    LINE("ldi r23, 0x7f")                                                                          \
    LINE("cpse r30, r2") /* above 32767, or negative */                                            \
    LINE("mov r4, r23")                                                                            \
    LINE("ldi r23, 0xff")                                                                          \
    LINE("cpse r30, r2")                                                                           \
    LINE("mov r7, r23")                                                                            \
    LINE("sbrc r31, 7")                                                                            \
    LINE("mov r4, r2")                                                                             \
    LINE("sbrc r31, 7")                                                                            \
    LINE("mov r7, r2")                                                                             \
    OUT(r7, r4)

// Half of a gate: (32768 + r21:r20) >> 1.
#define HALF                                                                                       \
    LINE("subi r21, 0x80")                                                                         \
    LINE("lsr r21")                                                                                \
    LINE("ror r20")

// int32 p3:p2:p1:p0 = int16 r17:r16 * uint16 r21:r20.
#define PRODUCT(p0, p1, p2, p3)                                                                    \
    LINE("mulsu r17, r21")                                                                         \
    LINE("movw " #p2 ", r0")                                                                       \
    LINE("mul r16, r20")                                                                           \
    LINE("movw " #p0 ", r0")                                                                       \
    LINE("mulsu r17, r20")                                                                         \
    LINE("sbc " #p3 ", r2") /* MULSU leaves the sign in C */                                       \
    LINE("add " #p1 ", r0")                                                                        \
    LINE("adc " #p2 ", r1")                                                                        \
    LINE("adc " #p3 ", r2")                                                                        \
    LINE("mul r16, r21")                                                                           \
    LINE("add " #p1 ", r0")                                                                        \
    LINE("adc " #p2 ", r1")                                                                        \
    LINE("adc " #p3 ", r2")

// Groups of three rows of the stream: their look-ups to `out`; with a shift that is not 0 instead
// their pre-activations, shifted right by it, limited to 0..32767. Returns the end of the stream.
static __attribute__((naked, noinline)) const uint8_t *
gates(const uint8_t *stream, const frame *f, rnnedge_v out[], uint8_t groups, uint8_t relu_shift) {
    register const uint8_t *end __asm__("r24");
    (void)stream, (void)f, (void)out, (void)groups, (void)relu_shift;
    __asm__ volatile(SAVE_REGISTERS);
    __asm__ volatile("clr r2\n\t"
                     "clr r3\n\t"
                     "mov r15, r18\n\t"
                     "mov r14, r16\n\t"
                     "ldi r16, 4\n\t"
                     "mov r5, r16\n\t"
                     "movw r30, r24\n\t"
                     "movw r28, r22\n\t"
                     "movw r8, r20\n\t"
                     "ldd r10, Y+8\n\t"
                     "ldd r11, Y+9\n\t"
                     "ldd r12, Y+10\n\t"
                     "3:\n\t" // three rows
                     "movw r16, r10\n\t"
                     "mov r18, r12\n\t"
                     "movw r20, r10\n\t"
                     "mov r19, r12\n\t"
                     "movw r24, r10\n\t"
                     "mov r22, r12\n\t"
                     "ldd r26, Y+0\n\t"
                     "ldd r27, Y+1\n\t"
                     "ldd r6, Y+2\n\t" COLUMNS(r6) //
                     "ldd r6, Y+3\n\t" SHIFTS(r6)  //
                     "ldd r26, Y+4\n\t"
                     "ldd r27, Y+5\n\t"
                     "ldd r6, Y+6\n\t" COLUMNS(r6) //
                     "ldd r6, Y+7\n\t" SHIFTS(r6));
    __asm__ volatile(ADD3(r16, r17, r18) ADD3(r20, r21, r19) ADD3(r24, r25, r22) //
                     "lpm r23, Z+\n\t"
                     "lpm r13, Z+\n\t"
                     "lpm r6, Z+\n\t"
                     "movw r26, r30\n\t"
                     "tst r14\n\t"
                     "breq 4f\n\t"
                     "rjmp 5f\n\t"
                     "4:\n\t" SCALE(r16, r17, r18, r18) LOOKUP(r18, r16, r17) OUT(r16, r17));
    __asm__ volatile("mov r23, r13\n\t" SCALE(r20, r21, r19, r19) LOOKUP(r19, r20, r21)
                         OUT(r20, r21));
    __asm__ volatile("mov r23, r6\n\t" SCALE(r24, r25, r22, r22) LOOKUP(r22, r24, r25)
                         OUT(r24, r25) //
                     "4:\n\t"
                     "movw r30, r26\n\t"
                     "dec r15\n\t"
                     "breq 6f\n\t"
                     "rjmp 3b\n\t"
                     "6:\n\t"
                     "movw r24, r30\n\t"
                     "clr r1\n\t");
    __asm__ volatile(RESTORE_REGISTERS "ret\n\t");
    __asm__ volatile("5:\n\t" RELU(r16, r17, r18)           //
                     "mov r23, r13\n\t" RELU(r20, r21, r19) //
                     "mov r23, r6\n\t" RELU(r24, r25, r22)  //
                     "rjmp 4b\n\t"
                     : "=r"(end));
    return end;
}

// h and c of `units` units from their gates t, i f g o of each unit.
__attribute__((naked, noinline)) void rnnedge_avr_lstm_update(const rnnedge_v t[], int16_t h[],
                                                              int16_t c[], uint8_t units,
                                                              uint8_t state_shift) {
    (void)t, (void)h, (void)c, (void)units, (void)state_shift;
    __asm__ volatile(SAVE_REGISTERS);
    __asm__ volatile("clr r2\n\t"
                     "mov r3, r16\n\t"
                     "mov r7, r18\n\t"
                     "ldi r16, 4\n\t"
                     "mov r5, r16\n\t"
                     "movw r28, r24\n\t"
                     "movw r26, r20\n\t"
                     "push r23\n\t"
                     "push r22\n\t"
                     "3:\n\t"
                     // r11:r10:r9:r8 = c * half(tf)
                     "ldd r20, Y+2\n\t"
                     "ldd r21, Y+3\n\t" HALF //
                     "ld r16, X+\n\t"
                     "ld r17, X\n\t" PRODUCT(r8, r9, r10, r11)
                     // r15:r14:r13:r12 = (g * half(ti)) >> s
                     "ldd r20, Y+0\n\t"
                     "ldd r21, Y+1\n\t" HALF //
                     "ldd r16, Y+4\n\t"
                     "ldd r17, Y+5\n\t" PRODUCT(r12, r13, r14, r15) //
                     "mov r6, r3\n\t"
                     "rjmp 2f\n\t"
                     "1: asr r15\n\t"
                     "ror r14\n\t"
                     "ror r13\n\t"
                     "ror r12\n\t"
                     "2: dec r6\n\t"
                     "brpl 1b\n\t"
                     // r11:r10 = sat16((sum + 2^14) >> 15): twice the sum, V tells of a 17th bit
                     "ldi r20, 0xff\n\t"
                     "ldi r21, 0x7f\n\t"
                     "ldi r18, 0x40\n\t"
                     "add r8, r12\n\t"
                     "adc r9, r13\n\t"
                     "adc r10, r14\n\t"
                     "adc r11, r15\n\t"
                     "add r9, r18\n\t"
                     "adc r10, r2\n\t"
                     "adc r11, r2\n\t"
                     "lsl r9\n\t"
                     "rol r10\n\t"
                     "rol r11\n\t"
                     "in r18, __SREG__\n\t"
                     "adc r20, r2\n\t" // 0x7fff, or 0x8000 if the sum is negative
                     "adc r21, r2\n\t"
                     "sbrc r18, 3\n\t"
                     "movw r10, r20\n\t"
                     "st X, r11\n\t"
                     "st -X, r10\n\t"
                     "adiw r26, 2\n\t");
    __asm__ volatile(
        // r31:r30:r10:r20 = c * 2^(5 + s) + 128
        "ldi r20, 0\n\t"
        "mov r30, r11\n\t"
        "mov r31, r11\n\t"
        "lsl r31\n\t"
        "sbc r31, r31\n\t"
        ".rept 3\n\t"
        "asr r30\n\t"
        "ror r10\n\t"
        "ror r20\n\t"
        ".endr\n\t"
        "mov r6, r3\n\t"
        "rjmp 2f\n\t"
        "1: lsl r20\n\t"
        "rol r10\n\t"
        "rol r30\n\t"
        "rol r31\n\t"
        "2: dec r6\n\t"
        "brpl 1b\n\t"
        "lsl r20\n\t"
        "adc r10, r2\n\t"
        "adc r30, r2\n\t"
        "adc r31, r2\n\t" LOOKUP(r10, r16, r17)
        // h = gate(tanh, to)
        "ldd r20, Y+6\n\t"
        "ldd r21, Y+7\n\t"
        "subi r21, 0x80\n\t" PRODUCT(r8, r9, r24, r25) //
        "lsl r9\n\t"
        "adc r24, r2\n\t"
        "adc r25, r2\n\t"
        "pop r30\n\t"
        "pop r31\n\t"
        "st Z+, r24\n\t"
        "st Z+, r25\n\t"
        "push r31\n\t"
        "push r30\n\t"
        "adiw r28, 8\n\t"
        "dec r7\n\t"
        "breq 4f\n\t"
        "rjmp 3b\n\t"
        "4:\n\t"
        "pop r30\n\t"
        "pop r31\n\t"
        "clr r1\n\t");
    __asm__ volatile(RESTORE_REGISTERS "ret\n\t");
}

// Where a part of v is, how wide and how large.
typedef struct {
    uint8_t *v;
    uint8_t columns;
    uint8_t shift;
    uint16_t sum;
} part;

static part narrow(uint8_t v[], const void *values, uint8_t columns, uint8_t shift) {
    const part p = {v, columns, shift, expand(v, values, columns)};
    return p;
}

// The part with the larger shift comes first, so that the product is shifted as it grows.
static void prepare(frame *f, const part *x, const part *h) {
    const part *first = x->shift >= h->shift ? x : h;
    const part *second = x->shift >= h->shift ? h : x;
    f->first = first->v;
    f->first_columns = first->columns;
    f->between = (uint8_t)(first->shift - second->shift);
    f->second = second->v;
    f->second_columns = second->columns;
    f->after = second->shift;
    // 128 * sum is a multiple of 2^between: at most 7 (convert/c/packing/avr.py)
    const uint32_t start =
        0 - ((uint32_t)first->sum << 7) - (((uint32_t)second->sum << 7) >> f->between);
    f->start[0] = (uint8_t)start;
    f->start[1] = (uint8_t)(start >> 8);
    f->start[2] = (uint8_t)(start >> 16);
}

// Groups of three that n rows make.
static uint8_t thirds(uint16_t n) {
    return (uint8_t)((n + 2) / 3);
}

// Scratch: the frame, rows of gates, v.
#define FRAME_BYTES 12
typedef char rnnedge_avr_frame[sizeof(frame) <= FRAME_BYTES ? 1 : -1];

static rnnedge_v *rows_of(int32_t scratch[]) {
    return (rnnedge_v *)(scratch + FRAME_BYTES / 4);
}

static part narrow_x(const rnnedge_cell *cell, uint8_t v[], const void *x) {
    return narrow(v, x, (uint8_t)RNNEDGE_GET16(&cell->inputs), RNNEDGE_GET8(&cell->x_shift));
}

static part narrow_h(const rnnedge_cell *cell, uint8_t v[], const void *h) {
    return narrow(v, h, (uint8_t)RNNEDGE_GET16(&cell->units), RNNEDGE_GET8(&cell->h_shift));
}

void rnnedge_gru_before_step(const rnnedge_cell *cell, int16_t h[], const int16_t x[],
                             int32_t scratch[]) {
    if (RNNEDGE_GETP(const int32_t *, &cell->bias) != NULL) {
        rnnedge_avr_wide(cell, h, x, scratch, RNNEDGE_AVR_GRU_BEFORE);
        return;
    }
    const uint8_t units = (uint8_t)RNNEDGE_GET16(&cell->units);
    frame *f = (frame *)scratch;
    // rows: z of all units, then r; r * h and then n take the place of r; up to 2 that are none
    rnnedge_v *z = rows_of(scratch), *n = z + units;
    uint8_t *v = (uint8_t *)(n + units + 2);
    const part px = narrow_x(cell, v, x), ph = narrow_h(cell, v + px.columns, h);
    prepare(f, &px, &ph);
    const uint8_t *stream = RNNEDGE_GETP(const uint8_t *, &cell->weights);
    stream = gates(stream, f, z, thirds((uint16_t)(2 * units)), 0);
    for (uint8_t i = 0; i < units; i++) {
        n[i] = rnnedge_avr_gate(h[i], n[i]);
    }
    const part pg = narrow_h(cell, ph.v, n);
    prepare(f, &px, &pg);
    gates(stream, f, n, thirds(units), 0);
    for (uint8_t i = 0; i < units; i++) {
        h[i] = rnnedge_avr_blend(h[i], n[i], z[i]);
    }
}

void rnnedge_lstm_step(const rnnedge_cell *cell, int16_t h[], const int16_t x[],
                       int32_t scratch[]) {
    if (RNNEDGE_GETP(const int32_t *, &cell->bias) != NULL) {
        rnnedge_avr_wide(cell, h, x, scratch, RNNEDGE_AVR_LSTM);
        return;
    }
    const uint8_t units = (uint8_t)RNNEDGE_GET16(&cell->units);
    frame *f = (frame *)scratch;
    const uint8_t groups = thirds((uint16_t)(4 * units));
    rnnedge_v *t = rows_of(scratch);
    uint8_t *v = (uint8_t *)(t + 3 * groups);
    const part px = narrow_x(cell, v, x), ph = narrow_h(cell, v + px.columns, h);
    prepare(f, &px, &ph);
    gates(RNNEDGE_GETP(const uint8_t *, &cell->weights), f, t, groups, 0);
    rnnedge_avr_lstm_update(t, h, h + units, units, RNNEDGE_GET8(&cell->state_shift));
}

static void rnn(const rnnedge_cell *cell, int16_t h[], const int16_t x[], int32_t scratch[],
                uint8_t relu_shift) {
    const uint8_t units = (uint8_t)RNNEDGE_GET16(&cell->units);
    frame *f = (frame *)scratch;
    const uint8_t groups = thirds(units);
    rnnedge_v *t = rows_of(scratch);
    uint8_t *v = (uint8_t *)(t + 3 * groups);
    const part px = narrow_x(cell, v, x), ph = narrow_h(cell, v + px.columns, h);
    prepare(f, &px, &ph);
    gates(RNNEDGE_GETP(const uint8_t *, &cell->weights), f, t, groups, relu_shift);
    for (uint8_t i = 0; i < units; i++) {
        h[i] = t[i];
    }
}

void rnnedge_rnn_tanh_step(const rnnedge_cell *cell, int16_t h[], const int16_t x[],
                           int32_t scratch[]) {
    if (RNNEDGE_GETP(const int32_t *, &cell->bias) != NULL) {
        rnnedge_avr_wide(cell, h, x, scratch, RNNEDGE_AVR_RNN_TANH);
    } else {
        rnn(cell, h, x, scratch, 0);
    }
}

void rnnedge_rnn_relu_step(const rnnedge_cell *cell, int16_t h[], const int16_t x[],
                           int32_t scratch[]) {
    if (RNNEDGE_GETP(const int32_t *, &cell->bias) != NULL) {
        rnnedge_avr_wide(cell, h, x, scratch, RNNEDGE_AVR_RNN_RELU);
    } else {
        rnn(cell, h, x, scratch, (uint8_t)(5 + RNNEDGE_GET8(&cell->state_shift)));
    }
}

#endif
