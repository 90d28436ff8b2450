/* arm_mve.c -- products for Helium, the vector extension of Cortex-M55.
 *
 * Rows of int8 weights come in groups of eight, with the accumulators in eight core registers. A
 * row over x and its row over h give a sum each; the row's accumulator is
 *
 *     sum over h + (sum over x << x_shift)        from the bias on, from 0 on
 *
 * where the product has already shifted h by h_shift, which is seldom other than 0. A layer with
 * 16-bit inputs takes x apart, x = 256 * (x >> 8) + 128 + ((x & 255) - 128): both bytes go through
 * the same loops, and the biases contain 128 times the sum of the row's weights.
 *
 * The rows of a block of units come for each 8 units gate after gate; the last group is padded.
 * Its weights (convert/c/packing/mve.py):
 *
 *     each group: the first 16 columns of x, row after row, unpadded; then up to 4 whole chunks of
 *         16 columns of h, the last chunk first, 8 rows each
 *     each further chunk of x: all rows, row after row, unpadded
 *     each further chunk of h, the last one with less than 16 columns: likewise
 *
 * Loads may pass a row's end, where the activations are 0: the array has 16 bytes before the first
 * row and behind the last one.
 */
#include "../src/kernel.h"

#if RNNEDGE_KERNEL == RNNEDGE_KERNEL_MVE

#include <arm_mve.h>
#include <stddef.h>

#define NAKED __attribute__((naked, noinline, aligned(4)))
#define UNUSED __attribute__((unused))
#define ACCUMULATORS "r0, r2, r4, r6, r8, r10, r12, lr"

// Add one chunk of `columns`, 1..16, to the sums of `groups` groups; return the weights behind it.
// `gap` bytes lie between two groups.
//
// r1 weights  r3 columns  r5 sums  r7 groups  r9 gap  q0 v
NAKED static const int8_t *add(int32_t sum[] UNUSED, const int8_t *w UNUSED, const int8_t *v UNUSED,
                               uint32_t columns UNUSED, uint32_t groups UNUSED,
                               uint32_t gap UNUSED) {
    __asm__ volatile("push {r4-r10, lr}\n"
                     "mov r5, r0\n"
                     "vldrb.u8 q0, [r2]\n"
                     "ldrd r7, r9, [sp, #32]\n"
                     "1:\n"
                     "ldm r5, {" ACCUMULATORS "}\n"
                     ".irp a, " ACCUMULATORS "\n"
                     "vldrb.u8 q1, [r1]\n"
                     "add r1, r3\n"
                     "vmladava.s8 \\a, q1, q0\n"
                     ".endr\n"
                     "add r1, r9\n"
                     "stm r5!, {" ACCUMULATORS "}\n"
                     "subs r7, #1\n"
                     "bne 1b\n"
                     "mov r0, r1\n"
                     "pop {r4-r10, pc}\n");
}

// clang-format off

// The two rows of x that end at r1 + r11, the second one in the high lanes.
#define PAIR(a, b)                          \
    "vldrb.u8 q6, [r1]               \n"    \
    "add r1, r11                     \n"    \
    "vmladav.s8 " a ", q6, q4        \n"    \
    "vldrb.u8 q6, [r1, #-16]         \n"    \
    "vmladav.s8 " b ", q6, q5        \n"
#define ROWS_OF_X PAIR("r0", "r2") PAIR("r4", "r6") PAIR("r8", "r10") PAIR("r12", "lr")

// Eight rows of the chunk of h in q: 64 bytes of code.
#define ROWS_OF_H(q)                        \
    ".irp a, " ACCUMULATORS "        \n"    \
    "vldrb.u8 q6, [r1], #16          \n"    \
    "vmladava.s8 \\a, q6, " q "      \n"    \
    ".endr                           \n"

// r1 weights  r3 biases  r5 h  r7 groups  r9 x  r11 two_rows
// q0..q3 chunks of h  q4, q5 x in low, high lanes  q6 weights
NAKED void rnnedge_mve_sums(rnnedge_mve_plan *p UNUSED) {
    __asm__ volatile("push {r4-r11, lr}               \n"
                     "vpush {d8-d13}                  \n"
                     "ldm r0, {r1, r3, r5, r7, r9, r11}\n"
                     "ldrd r2, r4, [r0, #24]          \n"
                     "ldrd r6, r8, [r0, #32]          \n"
                     "vldrb.u8 q4, [r4]               \n"
                     "vldrb.u8 q5, [r6]               \n"
#ifndef __OPTIMIZE_SIZE__
                     // stack: plan, where the code for the chunks of h starts
                     "vldrb.u8 q0, [r2]               \n"
                     "vldrb.u8 q1, [r2, #16]          \n"
                     "vldrb.u8 q2, [r2, #32]          \n"
                     "vldrb.u8 q3, [r2, #48]          \n"
                     "adr.w r12, 2f                   \n"
                     "sub r12, r12, r8                \n"
                     "push {r0, r12}                  \n"
                     "1:                              \n"
                     ROWS_OF_X
                     "stm r9!, {" ACCUMULATORS "}     \n"
                     "ldm r3!, {" ACCUMULATORS "}     \n"
                     "ldr pc, [sp, #4]                \n"
                     ROWS_OF_H("q3") ROWS_OF_H("q2") ROWS_OF_H("q1") ROWS_OF_H("q0")
                     "2:                              \n"
                     "stm r5!, {" ACCUMULATORS "}     \n"
                     "subs r7, #1                     \n"
                     "bne 1b                          \n"
                     "pop {r0, r2}                    \n"
#else
                     // stack: plan, start and end of h, groups, two_rows
                     "add r4, r2, r8, asr #2          \n"
                     "adds r4, #1                     \n"
                     "sub sp, #4                      \n"
                     "push {r0, r2, r4, r7}           \n"
                     "str r11, [sp, #16]              \n"
                     "1:                              \n"
                     "ldr r11, [sp, #16]              \n"
                     ROWS_OF_X
                     "stm r9!, {" ACCUMULATORS "}     \n"
                     "ldm r3!, {" ACCUMULATORS "}     \n"
                     "ldrd r7, r11, [sp, #4]          \n"
                     "2:                              \n"
                     "cmp r11, r7                     \n"
                     "beq 3f                          \n"
                     "vldrb.u8 q0, [r11, #-16]!       \n"
                     ROWS_OF_H("q0")
                     "b 2b                            \n"
                     "3:                              \n"
                     "stm r5!, {" ACCUMULATORS "}     \n"
                     "ldr r7, [sp, #12]               \n"
                     "subs r7, #1                     \n"
                     "str r7, [sp, #12]               \n"
                     "bne 1b                          \n"
                     "pop {r0, r2, r4, r7}            \n"
                     "add sp, #4                      \n"
#endif
                     "strd r1, r3, [r0]               \n"
                     "vpop {d8-d13}                   \n"
                     "pop {r4-r11, pc}                \n");
}

// clang-format on

// The sums that rnnedge_mve_sums leaves out: columns from `from` on.
static const int8_t *add_rest(int32_t sum[], const int8_t *w, const int8_t *v, uint32_t from,
                              uint32_t columns, uint32_t groups) {
    for (; from < columns; from += RNNEDGE_MVE_CHUNK) {
        w = add(sum, w, v + from, rnnedge_mve_min(columns - from, RNNEDGE_MVE_CHUNK), groups, 0);
    }
    return w;
}

static const int8_t *add_h(const rnnedge_mve_plan *p, const rnnedge_cell *cell, const int8_t *w) {
    const uint32_t kept = rnnedge_mve_min(cell->units & ~15u, RNNEDGE_MVE_KEPT);
    return add_rest(p->h, w, p->v, kept, cell->units, p->groups);
}

// sum = (sum * factor + b * b_factor + x * x_factor) >> y, modulo 2^32 before the shift.
static void combine(int32_t sum[], int32_t factor, const int32_t b[], int32_t b_factor,
                    const int32_t x[], int32_t x_factor, uint8_t y, uint32_t rows) {
    for (uint32_t i = 0; i < rows; i += 4) {
        const mve_pred16_t p = vctp32q(rows - i);
        int32x4_t s = vmulq_n_s32(vldrwq_z_s32(sum + i, p), factor);
        s = vmlaq_n_s32(s, vldrwq_z_s32(b + i, p), b_factor);
        s = vmlaq_n_s32(s, vldrwq_z_s32(x + i, p), x_factor);
        vstrwq_p_s32(sum + i, vshlq_r_s32(s, -(int32_t)y), p);
    }
}

// All sums of a layer with 8-bit inputs, those over h shifted.
void rnnedge_product_narrow(rnnedge_cursor *at, const rnnedge_cell *cell, const void *v,
                            uint8_t part, uint8_t gates, uint16_t units, int32_t acc[]) {
    (void)v, (void)part, (void)acc;
    rnnedge_mve_plan *p = (rnnedge_mve_plan *)at;
    const int32_t *bias = at->bias;
    const int32_t factor = (int32_t)(1u << cell->h_shift);
    rnnedge_mve_sums(p);
    const int8_t *w = (const int8_t *)at->weights;
    w = add_rest(p->x, w, p->x_low, RNNEDGE_MVE_CHUNK, cell->inputs, p->groups);
    at->weights = add_h(p, cell, w);
    if (cell->h_shift != 0) { // sum + bias to (sum << h_shift) + bias
        combine(p->h, factor, bias, 1 - factor, p->x, 0, 0, (uint32_t)gates * units);
    }
}

// All sums of any layer. With 16-bit inputs those over h are the accumulators, shifted by
// acc_shift; but with RNNEDGE_PART_SPLIT those of n stay apart.
void rnnedge_product_wide(rnnedge_cursor *at, const rnnedge_cell *cell, const void *v, uint8_t part,
                          uint8_t gates, uint16_t units, int32_t acc[]) {
    if (cell->input_bits == 8) {
        rnnedge_product_narrow(at, cell, v, part, gates, units, acc);
        return;
    }
    rnnedge_mve_plan *p = (rnnedge_mve_plan *)at;
    const int8_t *w = (const int8_t *)at->weights;
    const int32_t *bias = at->bias;
    const int32_t factor = (int32_t)(1u << cell->h_shift);
    const uint32_t columns = rnnedge_mve_min(cell->inputs, RNNEDGE_MVE_CHUNK);
    const uint32_t kept = rnnedge_mve_min(cell->units & ~15u, RNNEDGE_MVE_KEPT);
    const int8_t *low = p->x_low + rnnedge_mve_up(cell->inputs, RNNEDGE_MVE_CHUNK);
    rnnedge_mve_sums(p);
    const int8_t *rest = (const int8_t *)at->weights;
    (void)add_rest(p->x, rest, p->x_low, RNNEDGE_MVE_CHUNK, cell->inputs, p->groups);
    combine(p->x, 256, p->x, 0, p->x, 0, 0, 8 * p->groups);
    (void)add(p->x, w, low, columns, p->groups, 8 * kept);
    rest = add_rest(p->x, rest, low, RNNEDGE_MVE_CHUNK, cell->inputs, p->groups);
    at->weights = add_h(p, cell, rest);
    int32_t *h = p->h, *x = p->x;
    for (uint32_t left = units; left > 0;) {
        const uint32_t eight = rnnedge_mve_min(left, 8);
        const uint32_t apart = part == RNNEDGE_PART_SPLIT ? eight : 0;
        const uint32_t rows = gates * eight - apart;
        combine(h, factor, bias, 1 - factor, x, 1, cell->acc_shift, rows);
        h += rows, x += rows, bias += rows;
        combine(h, factor, bias, 1 - factor, x, 0, 0, apart);
        h += apart, x += apart, bias += apart;
        left -= eight;
    }
}

#endif
