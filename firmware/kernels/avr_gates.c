/* avr_gates.c -- narrow steps of GRU (reset before), LSTM and RNN, for AVR. */
#include "../src/kernel.h"

#if RNNEDGE_KERNEL == RNNEDGE_KERNEL_AVR

#include "../src/flash.h"
#include "avr_asm.h"

#include <stddef.h>

// What a pass over rows knows of its layer; the assembler below reads it in this order.
typedef struct {
    const uint8_t *first; // the part of v with the larger shift
    uint8_t first_columns;
    uint8_t between; // shift of the first part
    const uint8_t *second;
    uint8_t second_columns;
    uint8_t after;    // shift of both
    uint8_t start[3]; // of accumulators
} frame;

// v' of n values; returns their sum.
static uint16_t expand(uint8_t v[], const int16_t values[], uint8_t n) {
    uint16_t sum = 0;
    uint8_t low, high;
    __asm__ volatile(LINE("1: ld %[low], X+") LINE("ld %[high], X+") LINE("subi %[high], 0x80")
                         LINE("lsl %[low]") LINE("adc %[high], r1") // round; past 255 is 0
                     LINE("sbc %[high], r1")                        // and here 255 again
                     LINE("st Z+, %[high]") LINE("add %A[sum], %[high]") LINE("adc %B[sum], r1")
                         LINE("dec %[n]") LINE("brne 1b")
                     : [sum] "+r"(sum), [n] "+r"(n), "+x"(values),
                       "+z"(v), [low] "=&r"(low), [high] "=&d"(high)
                     :
                     : "memory");
    return sum;
}

// Groups of three rows of the stream: their look-ups to `out`, int16, or with raw != 0 their
// pre-activations, int32. Returns the end of the stream.
static __attribute__((naked, noinline)) const uint8_t *
gates(const uint8_t *stream, const frame *f, void *out, uint8_t groups, uint8_t raw) {
    register const uint8_t *end __asm__("r24");
    (void)stream, (void)f, (void)out, (void)groups, (void)raw;
    __asm__ volatile(SAVE_REGISTERS LINE("clr r2") LINE("clr r3") LINE("mov r10, r18")
                         LINE("mov r11, r16") LINE("ldi r16, 4") LINE("mov r5, r16")
                             LINE("movw r30, r24") LINE("movw r28, r22") LINE("movw r8, r20")
                                 LINE("ldd r14, Y+8") LINE("ldd r15, Y+9") LINE("ldd r13, Y+10"));
    __asm__ volatile(
        LINE("3:") LINE("movw r16, r14") LINE("mov r18, r13") LINE("movw r20, r14") LINE(
            "mov r19, r13") LINE("movw r24, r14") LINE("mov r22, r13") LINE("ldd r26, Y+0")
            LINE("ldd r27, Y+1") LINE("ldd r6, Y+2") LINE("1: ld r4, X+") MAC(r16, r17, r18) MAC(
                r20, r21, r19) MAC(r24, r25, r22) LINE("dec r6") LINE("brne 1b") LINE("ldd r6, Y+3")
                LINE("rjmp 2f") LINE("1:") SHIFT_LEFT(r16, r17, r18) SHIFT_LEFT(r20, r21, r19)
                    SHIFT_LEFT(r24, r25, r22) LINE("2: dec r6") LINE("brpl 1b") LINE("ldd r26, Y+4")
                        LINE("ldd r27, Y+5") LINE("ldd r6, Y+6") LINE("1: ld r4, X+")
                            MAC(r16, r17, r18) MAC(r20, r21, r19) MAC(r24, r25, r22) LINE("dec r6")
                                LINE("brne 1b") LINE("ldd r6, Y+7") LINE("rjmp 2f") LINE("1:")
                                    SHIFT_LEFT(r16, r17, r18) SHIFT_LEFT(r20, r21, r19)
                                        SHIFT_LEFT(r24, r25, r22) LINE("2: dec r6") LINE("brpl 1b")
                                            ADD3(r16, r17, r18) ADD3(r20, r21, r19)
                                                ADD3(r24, r25, r22) LINE("lpm r23, Z+")
                                                    LINE("lpm r12, Z+") LINE("lpm r6, Z+")
                                                        LINE("movw r26, r30"));
#define OUT2(low, high)                                                                            \
    LINE("movw r30, r8") LINE("st Z+, " #low) LINE("st Z+, " #high) LINE("movw r8, r30")
    __asm__ volatile(LINE("tst r11") LINE("breq 4f") LINE("rjmp 5f") LINE("4:")
                         SCALE(r16, r17, r18, r18) LOOKUP(r18, r16, r17) OUT2(r16, r17));
    __asm__ volatile(LINE("mov r23, r12") SCALE(r20, r21, r19, r19) LOOKUP(r19, r20, r21)
                         OUT2(r20, r21));
    __asm__ volatile(LINE("mov r23, r6") SCALE(r24, r25, r22, r22) LOOKUP(r22, r24, r25)
                         OUT2(r24, r25) LINE("6:") LINE("movw r30, r26") LINE("dec r10")
                             LINE("breq 4f") LINE("rjmp 3b") LINE("4:") LINE("movw r24, r30")
                                 LINE("clr r1") RESTORE_REGISTERS LINE("ret"));
    // q in Z, r4 (bits 8..15), r7 (0..7), to where r8 points
#define RAW(low, mid, high)                                                                        \
    LINE("mulsu " #high ", r23")                                                                   \
    LINE("movw r30, r0")                                                                           \
    LINE("mul " #low ", r23")                                                                      \
    LINE("mov r7, r0")                                                                             \
    LINE("mov r4, r1")                                                                             \
    LINE("mul " #mid ", r23")                                                                      \
    LINE("add r4, r0")                                                                             \
    LINE("adc r30, r1")                                                                            \
    LINE("adc r31, r2")                                                                            \
    LINE("movw r0, r30")                                                                           \
    LINE("movw r30, r8") LINE("st Z+, r7") LINE("st Z+, r4") LINE("st Z+, r0") LINE("st Z+, r1")   \
        LINE("movw r8, r30")
    __asm__ volatile(LINE("5:") RAW(r16, r17, r18) LINE("mov r23, r12") RAW(r20, r21, r19)
                         LINE("mov r23, r6") RAW(r24, r25, r22) LINE("rjmp 6b")
                     : "=r"(end));
    return end;
}

// Where a part of v is, how wide and how large.
typedef struct {
    uint8_t *v;
    uint8_t columns;
    uint8_t shift;
    uint16_t sum;
} part;

static part narrow(uint8_t v[], const int16_t values[], uint8_t columns, uint8_t shift) {
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

static int16_t *rows_of(int32_t scratch[]) {
    return (int16_t *)(scratch + FRAME_BYTES / 4);
}

static part narrow_x(const rnnedge_cell *cell, uint8_t v[], const int16_t x[]) {
    return narrow(v, x, (uint8_t)RNNEDGE_GET16(&cell->inputs), RNNEDGE_GET8(&cell->x_shift));
}

static part narrow_h(const rnnedge_cell *cell, uint8_t v[], const int16_t h[]) {
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
    // rows: z of all units, then r; r * h and then n take the place of r
    int16_t *z = rows_of(scratch), *n = z + units;
    uint8_t *v = (uint8_t *)(n + 3 * thirds(units));
    const part px = narrow_x(cell, v, x), ph = narrow_h(cell, v + px.columns, h);
    prepare(f, &px, &ph);
    const uint8_t *stream = RNNEDGE_GETP(const uint8_t *, &cell->weights);
    stream = gates(stream, f, z, thirds((uint16_t)(2 * units)), 0);
    for (uint8_t i = 0; i < units; i++) {
        n[i] = (int16_t)rnnedge_gate(h[i], n[i]);
    }
    const part pg = narrow_h(cell, ph.v, n);
    prepare(f, &px, &pg);
    gates(stream, f, n, thirds(units), 0);
    for (uint8_t i = 0; i < units; i++) {
        h[i] = rnnedge_blend(h[i], n[i], z[i]);
    }
}

void rnnedge_lstm_step(const rnnedge_cell *cell, int16_t h[], const int16_t x[],
                       int32_t scratch[]) {
    if (RNNEDGE_GETP(const int32_t *, &cell->bias) != NULL) {
        rnnedge_avr_wide(cell, h, x, scratch, RNNEDGE_AVR_LSTM);
        return;
    }
    const uint8_t units = (uint8_t)RNNEDGE_GET16(&cell->units);
    const uint8_t s = RNNEDGE_GET8(&cell->state_shift);
    frame *f = (frame *)scratch;
    const uint8_t groups = thirds((uint16_t)(4 * units));
    int16_t *t = rows_of(scratch), *c = h + units;
    uint8_t *v = (uint8_t *)(t + 3 * groups);
    const part px = narrow_x(cell, v, x), ph = narrow_h(cell, v + px.columns, h);
    prepare(f, &px, &ph);
    gates(RNNEDGE_GETP(const uint8_t *, &cell->weights), f, t, groups, 0);
    for (uint8_t i = 0; i < units; i++, t += 4) {
        // |c| * 32767 + 32767^2 + 2^14 < 2^31
        const int32_t part_i = ((int32_t)t[2] * (int16_t)rnnedge_half(t[0])) >> s;
        const int32_t sum = (int32_t)c[i] * (int16_t)rnnedge_half(t[1]) + part_i;
        const int32_t next = rnnedge_sat16((sum + (1 << 14)) >> 15);
        const int32_t tc = rnnedge_lookup(next * (int32_t)(UINT32_C(32) << s) + 128);
        c[i] = (int16_t)next;
        h[i] = (int16_t)rnnedge_gate(tc, t[3]);
    }
}

void rnnedge_rnn_tanh_step(const rnnedge_cell *cell, int16_t h[], const int16_t x[],
                           int32_t scratch[]) {
    if (RNNEDGE_GETP(const int32_t *, &cell->bias) != NULL) {
        rnnedge_avr_wide(cell, h, x, scratch, RNNEDGE_AVR_RNN_TANH);
        return;
    }
    const uint8_t units = (uint8_t)RNNEDGE_GET16(&cell->units);
    frame *f = (frame *)scratch;
    const uint8_t groups = thirds(units);
    int16_t *t = rows_of(scratch);
    uint8_t *v = (uint8_t *)(t + 3 * groups);
    const part px = narrow_x(cell, v, x), ph = narrow_h(cell, v + px.columns, h);
    prepare(f, &px, &ph);
    gates(RNNEDGE_GETP(const uint8_t *, &cell->weights), f, t, groups, 0);
    for (uint8_t i = 0; i < units; i++) {
        h[i] = t[i];
    }
}

void rnnedge_rnn_relu_step(const rnnedge_cell *cell, int16_t h[], const int16_t x[],
                           int32_t scratch[]) {
    if (RNNEDGE_GETP(const int32_t *, &cell->bias) != NULL) {
        rnnedge_avr_wide(cell, h, x, scratch, RNNEDGE_AVR_RNN_RELU);
        return;
    }
    const uint8_t units = (uint8_t)RNNEDGE_GET16(&cell->units);
    const uint8_t shift = (uint8_t)(5 + RNNEDGE_GET8(&cell->state_shift));
    frame *f = (frame *)scratch;
    const uint8_t groups = thirds(units);
    int32_t *q = (int32_t *)(void *)rows_of(scratch);
    uint8_t *v = (uint8_t *)(q + 3 * groups);
    const part px = narrow_x(cell, v, x), ph = narrow_h(cell, v + px.columns, h);
    prepare(f, &px, &ph);
    gates(RNNEDGE_GETP(const uint8_t *, &cell->weights), f, q, groups, 1);
    for (uint8_t i = 0; i < units; i++) {
        h[i] = (int16_t)rnnedge_clamp(q[i] >> shift, 0, INT16_MAX);
    }
}

#endif
