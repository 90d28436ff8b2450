/* kernel.h -- what a kernel gives the cells: the expanded activations and the products.
 *
 * A step of a layer works on
 *
 *     v = [ h | x | g ]     the narrowed state, the input, and (GRU, reset before) r * h
 *
 * each part padded to a multiple of RNNEDGE_PAD columns with zeros. Scratch holds the accumulators
 * of one block of up to 16 units first, then v. A product computes the accumulators of
 * gates * units rows over some parts of v,
 *
 *     acc[gate * stride + unit] = bias + dot(row, part of v),   stride = units rounded up to 4
 *
 * and moves the cursor behind the weights that it read. A step asks for the rows of a block in
 * this order; convert/c/packing/ writes the weights accordingly:
 *
 *     GRU, reset after    each block: z and r over HX, n over X, n over H
 *     GRU, reset before   each block: r over HX; then each block: z over HX, n over XG
 *     LSTM                each block: i, f, g, o over HX
 *     RNN                 each block: its only gate over HX
 *
 * multipliers follow in the order of use: of a block z, r, n (or r; then z, n), each padded to 4.
 */
#ifndef RNNEDGE_KERNEL_H
#define RNNEDGE_KERNEL_H

#include "../include/rnnedge.h"

#define RNNEDGE_BLOCK 16 // units

// For types that share scratch with accumulators: it is the caller's int32_t[].
#if defined(__GNUC__)
#define RNNEDGE_MAY_ALIAS __attribute__((may_alias))
#else
#define RNNEDGE_MAY_ALIAS
#endif

enum { RNNEDGE_PART_H, RNNEDGE_PART_X, RNNEDGE_PART_HX, RNNEDGE_PART_XG };

#if RNNEDGE_KERNEL == RNNEDGE_KERNEL_ROWS
#include "../kernels/rows.h"
#elif RNNEDGE_KERNEL == RNNEDGE_KERNEL_QUAD
#include "../kernels/quad.h"
#elif RNNEDGE_KERNEL == RNNEDGE_KERNEL_DSP
#include "../kernels/arm_dsp.h"
#elif RNNEDGE_KERNEL == RNNEDGE_KERNEL_MVE
#include "../kernels/arm_mve.h"
#elif RNNEDGE_KERNEL == RNNEDGE_KERNEL_AVR
#include "../kernels/avr.h"
#else
#error "RNNEDGE_KERNEL names no kernel of rnnedge.h"
#endif

#ifndef RNNEDGE_KNOTS
#define RNNEDGE_KNOTS 0
#endif

#include "fixed.h"

// Columns of a part of v.
static inline uint16_t rnnedge_padded(uint16_t n) {
    return (uint16_t)((n + RNNEDGE_PAD - 1) / RNNEDGE_PAD * RNNEDGE_PAD);
}

#ifndef RNNEDGE_OWN_EXPAND
// Narrow n values and shift them left, into v; fill up with zeros.
static inline void rnnedge_expand(rnnedge_v v[], const int16_t values[], uint16_t n,
                                  uint8_t shift) {
    const uint16_t padded = rnnedge_padded(n);
    for (uint16_t i = 0; i < n; i++) {
        // |narrow| << 8 fits 16 bits
        v[i] = (rnnedge_v)(rnnedge_narrow(values[i]) * (int32_t)(1u << shift));
    }
    for (uint16_t i = n; i < padded; i++) {
        v[i] = 0;
    }
}

// Copy n values, into v; fill up with zeros.
static inline void rnnedge_expand16(rnnedge_v v[], const int16_t values[], uint16_t n) {
    const uint16_t padded = rnnedge_padded(n);
    for (uint16_t i = 0; i < n; i++) {
        v[i] = values[i];
    }
    for (uint16_t i = n; i < padded; i++) {
        v[i] = 0;
    }
}
#endif

// Units of the block that starts at `first`, and the stride of its gates.
static inline uint16_t rnnedge_block(const rnnedge_cell *cell, uint16_t first) {
    const uint16_t left = (uint16_t)(cell->units - first);
    return left < RNNEDGE_BLOCK ? left : RNNEDGE_BLOCK;
}

static inline uint16_t rnnedge_stride(uint16_t units) {
    return (uint16_t)((units + 3u) & ~3u);
}

#ifndef RNNEDGE_OWN_EXPAND_HX
// v = [h | x] in scratch, behind the accumulators of `gates` gates.
static inline rnnedge_v *rnnedge_expand_hx(const rnnedge_cell *cell, const int16_t h[],
                                           const int16_t x[], int32_t scratch[], uint8_t gates) {
    const uint16_t stride = rnnedge_stride(rnnedge_block(cell, 0));
    rnnedge_v *v = (rnnedge_v *)(scratch + (uint16_t)(gates * stride));
    rnnedge_v *vx = v + rnnedge_padded(cell->units);
    rnnedge_expand(v, h, cell->units, cell->h_shift);
    if (cell->input_bits == 8) {
        rnnedge_expand(vx, x, cell->inputs, cell->x_shift);
    } else {
        rnnedge_expand16(vx, x, cell->inputs);
    }
    return v;
}
#endif

#endif /* RNNEDGE_KERNEL_H */
