/* avr.h -- the kernel of AVRs with MUL: everything constant in program memory, products unsigned.
 *
 * All steps are this kernel's own (avr_gru.c, avr_gates.c); a wide layer goes through its product
 * to the portable C of avr_wide.c, which is linked only where a model names it.
 *
 * Narrow layers of up to 127 units work on v' = narrow(value) + 128, one byte each, and weights
 * w + 128, so that MUL needs no signs; accumulators have 24 bits and may wrap until the last
 * addition. What the two 128 add is taken off again: 128 * sum(v') by the accumulators' start
 * values, 128 * sum(w) by the exported constants. convert/c/packing/avr.py writes the streams.
 */
#ifndef RNNEDGE_AVR_H
#define RNNEDGE_AVR_H

#include "rnnedge.h"

typedef int16_t rnnedge_v;
#define RNNEDGE_PAD 1

#define RNNEDGE_OWN_GRU
#define RNNEDGE_OWN_LSTM
#define RNNEDGE_OWN_RNN
#define RNNEDGE_OWN_LOOKUP

#if RNNEDGE_KERNEL == RNNEDGE_KERNEL_AVR

// rnnedge_lookup of docs/arithmetic.md: tanh of q * 2^-20, Q0.15.
int16_t rnnedge_avr_lookup(int32_t q);

static inline int32_t rnnedge_lookup(int32_t q) {
    return rnnedge_avr_lookup(q);
}

// The rest of a unit of a GRU whose product is code (rnnedge_avr.h): not a C function.
void rnnedge_avr_gru_unit(void);

// Cells, as rnnedge_avr_wide is told.
enum {
    RNNEDGE_AVR_GRU_AFTER,
    RNNEDGE_AVR_GRU_BEFORE,
    RNNEDGE_AVR_LSTM,
    RNNEDGE_AVR_RNN_TANH,
    RNNEDGE_AVR_RNN_RELU
};

// The step of a wide layer, through its product.
void rnnedge_avr_wide(const rnnedge_cell *cell, int16_t h[], const int16_t x[], int32_t scratch[],
                      uint8_t kind);

#endif

#endif /* RNNEDGE_AVR_H */
