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

#include "../include/rnnedge.h"

typedef int16_t RNNEDGE_MAY_ALIAS rnnedge_v;
#define RNNEDGE_PAD 1

#define RNNEDGE_OWN_GRU
#define RNNEDGE_OWN_LSTM
#define RNNEDGE_OWN_RNN
#define RNNEDGE_OWN_LOOKUP
#define RNNEDGE_OWN_ROW
#define RNNEDGE_OWN_CHANNEL

// For size, 129 knots of tanh instead of a table of 256 knots and differences. All files of the
// runtime need the same answer.
#ifndef RNNEDGE_KNOTS
#if defined(__OPTIMIZE_SIZE__)
#define RNNEDGE_KNOTS 1
#else
#define RNNEDGE_KNOTS 0
#endif
#endif

#if RNNEDGE_KERNEL == RNNEDGE_KERNEL_AVR

// For what only assembler names: link-time optimisation shall leave it.
#define RNNEDGE_AVR_NAMED __attribute__((used, externally_visible))

extern const int32_t rnnedge_tanh_table[256] RNNEDGE_FLASH __attribute__((externally_visible));
extern const int16_t rnnedge_tanh_knots[129] RNNEDGE_FLASH __attribute__((externally_visible));
RNNEDGE_AVR_NAMED rnnedge_product_fn rnnedge_product_narrow;

// lookup, gate and blend of docs/arithmetic.md.
int16_t rnnedge_avr_lookup(int32_t q);
int16_t rnnedge_avr_gate(int16_t v, int16_t t);
int16_t rnnedge_avr_blend(int16_t h, int16_t n, int16_t t);

// The look-up alone, from assembler: r31:r30 are bits 16..31 of q, r23 bits 8..15, r2 is zero; the
// result comes in r31:r30. Uses r0, r1, r4, r5, r18.
RNNEDGE_AVR_NAMED void rnnedge_avr_look(void);

// acc + dot(w, v) of n weights in program memory.
int32_t rnnedge_avr_dot(int32_t acc, const void *w, const rnnedge_v v[], uint16_t n);

// One row of a dense layer (src/dense.h), and its output limited to int16, with relu to 0..32767.
struct rnnedge_rows;
int32_t rnnedge_avr_row(struct rnnedge_rows *at);
int16_t rnnedge_avr_hidden(int32_t score, uint8_t relu);

static inline int32_t rnnedge_row(struct rnnedge_rows *at) {
    return rnnedge_avr_row(at);
}

static inline int16_t rnnedge_hidden(int32_t score, uint8_t relu) {
    return rnnedge_avr_hidden(score, relu);
}

// One channel of rnnedge_model_quantize; 0 if raw is NaN.
uint8_t rnnedge_avr_channel_value(const rnnedge_channel *channel, int16_t *x, const float *raw);

static inline int rnnedge_channel_value(const rnnedge_channel *channel, int16_t *x,
                                        const float *raw) {
    return rnnedge_avr_channel_value(channel, x, raw);
}

// h and c of LSTM units from their gates t = i, f, g, o of each.
void rnnedge_avr_lstm_update(const rnnedge_v t[], int16_t h[], int16_t c[], uint8_t units,
                             uint8_t state_shift);

// The rest of a unit of a GRU whose product is code (rnnedge_avr.h): not a C function.
RNNEDGE_AVR_NAMED void rnnedge_avr_gru_unit(void);

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
