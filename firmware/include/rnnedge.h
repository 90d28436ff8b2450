/* rnnedge.h -- small recurrent networks in integers, for microcontrollers.
 *
 * This header is the manual. A model is exported by `rnnedge export`; six lines use it:
 *
 *     #include "kws.h"
 *     static int16_t state[KWS_STATE_SIZE], scratch[KWS_SCRATCH_SIZE], x[KWS_INPUTS];
 *     static int32_t scores[KWS_OUTPUTS];
 *     rnnedge_reset(&kws, state);                              // once a window, or once at all
 *     rnnedge_quantize(&kws, x, raw); rnnedge_step(&kws, state, x, scratch);   // each sample
 *     rnnedge_output(&kws, state, scores); best = rnnedge_argmax(scores, KWS_OUTPUTS);
 *
 * No heap, no globals, no recursion, no libm, no float but in rnnedge_quantize. A step takes the
 * same instructions for every input and state of one model. Several instances of one model need
 * one state each; scratch may be shared between calls that do not run at the same time.
 *
 * Copyright 2026 The rnnedge authors. SPDX-License-Identifier: Apache-2.0
 */
#ifndef RNNEDGE_H
#define RNNEDGE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Number formats ////////////////////////////////////////////////////////////////////////////////
//
//   input x    int16   (raw - mean) / std = x * limit / 2^15, made by rnnedge_quantize
//   state h    int16   Q0.15
//   score      int32   real value = score * 2^-fraction_bits
//   weight     int8    -127..127, one scale per row
//   pre-activation     Q3.12, saturated
//
// docs/arithmetic.md of the project defines every operation.

/// Version ///////////////////////////////////////////////////////////////////////////////////////

// Number formats and layout of the structs below. A model file checks it when it is compiled.
#define RNNEDGE_ABI 1

/// Status ////////////////////////////////////////////////////////////////////////////////////////

typedef enum {
    RNNEDGE_OK = 0,
    RNNEDGE_ERR_NULL = -1,     // a pointer is NULL
    RNNEDGE_ERR_ABI = -2,      // the model was exported for another runtime: export again
    RNNEDGE_ERR_MODEL = -3,    // shapes of the layers do not fit each other
    RNNEDGE_ERR_INPUT = -4,    // a raw value is NaN
    RNNEDGE_ERR_MISMATCH = -5, // selftest: another result than the simulator's
} rnnedge_status;

/// The model: const, in flash ////////////////////////////////////////////////////////////////////

// One input channel: raw units to int16.
typedef struct {
    float scale;        // 2^exponent: raw value to fixed point, exact
    int32_t multiplier; // 1..2^30
    int64_t offset;     // rounding half included
    uint8_t shift;      // 0..62
} rnnedge_channel;

// One GRU layer. Gate order z (update), r (reset), n (candidate).
// rows = 4*units if reset_after (z, r, n of the input, n of the state), else 3*units.
typedef struct {
    uint16_t units;
    uint16_t inputs;
    uint8_t reset_after;       // 1: the reset gate acts after the recurrent product
    uint8_t input_bits;        // 8: reads the rounded top byte of x; 16: all of it
    int8_t input_shift;        // left (>= 0) or right (< 0) shift of the input's product
    uint8_t shift;             // accumulator * multiplier to Q3.12, 8..16
    const int8_t *w;           // (3*units, inputs)
    const int8_t *u;           // (3*units, units)
    const int32_t *bias;       // (rows), accumulator format, rounding half included
    const int16_t *multiplier; // (rows), 1..32767
} rnnedge_gru;

// One dense layer on the int16 state, int32 scores out.
typedef struct {
    uint16_t units;
    uint16_t inputs;
    const int8_t *w;           // (units, inputs)
    const int32_t *bias;       // (units), accumulator format, rounding half included
    const int16_t *multiplier; // (units), 1..32767
} rnnedge_dense;

// Advance a recurrent layer by one step. state is updated in place; its first values are the
// layer's output.
typedef void rnnedge_step_fn(const void *params, int16_t state[], const int16_t x[],
                             int16_t scratch[]);

// A recurrent layer of any kind. Only the step functions that a model names are linked.
typedef struct {
    rnnedge_step_fn *step;
    const void *params;  // the struct that step expects
    uint16_t inputs;     // width of x
    uint16_t outputs;    // width of the output, state[0..outputs-1]
    uint16_t state_size; // int16 values of state
} rnnedge_layer;

typedef struct {
    uint16_t abi;                    // RNNEDGE_ABI
    uint16_t inputs;                 // channels
    uint16_t outputs;                // scores
    uint16_t window;                 // time steps of a training window
    uint16_t state_size;             // int16 values, all layers
    uint16_t scratch_size;           // int16 values
    uint8_t fraction_bits;           // of the scores
    uint8_t n_layers;                // recurrent layers
    const rnnedge_layer *layers;     // (n_layers)
    const rnnedge_dense *head;       // on the last layer's output
    const rnnedge_channel *channels; // (inputs)
    const char *const *classes;      // (outputs), names
    const uint8_t *sha256;           // (32), of the quantised model
} rnnedge_model;

/// Use ///////////////////////////////////////////////////////////////////////////////////////////

// Check a model once, before its first use. If it is RNNEDGE_OK, the functions below can only
// fail for the reasons that they name.
//
//   RNNEDGE_ERR_NULL, RNNEDGE_ERR_ABI, RNNEDGE_ERR_MODEL
rnnedge_status rnnedge_check(const rnnedge_model *model);

// Set the state to zero: the start of a sequence.
//
//   state  out  int16_t[state_size]
//
//   RNNEDGE_ERR_NULL
rnnedge_status rnnedge_reset(const rnnedge_model *model, int16_t state[]);

// Raw sensor values to the model's input: normalisation and quantisation.
//
//   x      out  int16_t[inputs]
//   raw    in   float[inputs]    in the unit of the training data
//
// Values beyond the format saturate. The only function with floats, in a file of its own.
//
//   RNNEDGE_ERR_NULL; RNNEDGE_ERR_INPUT if a value is NaN (x is then undefined)
rnnedge_status rnnedge_quantize(const rnnedge_model *model, int16_t x[], const float raw[]);

// Advance one time step.
//
//   state    in/out   int16_t[state_size]    Q0.15, layer after layer
//   x        in       int16_t[inputs]        from rnnedge_quantize; every int16 is allowed
//   scratch  scratch  int16_t[scratch_size]  contents undefined on return
//
// Takes the same instructions for every x and state of the same model.
//
//   RNNEDGE_ERR_NULL: state is left untouched
rnnedge_status rnnedge_step(const rnnedge_model *model, int16_t state[], const int16_t x[],
                            int16_t scratch[]);

// Advance by `steps` time steps: the same as that many calls of rnnedge_step.
//
//   x        in       int16_t[steps * inputs]
//
//   RNNEDGE_ERR_NULL: state is left untouched
rnnedge_status rnnedge_run(const rnnedge_model *model, int16_t state[], const int16_t x[],
                           uint32_t steps, int16_t scratch[]);

// The head's scores for the present state.
//
//   state   in   int16_t[state_size]
//   scores  out  int32_t[outputs]     real value = score * 2^-fraction_bits
//
//   RNNEDGE_ERR_NULL
rnnedge_status rnnedge_output(const rnnedge_model *model, const int16_t state[], int32_t scores[]);

// Index of the largest of n >= 1 scores, the first one of equals.
uint16_t rnnedge_argmax(const int32_t scores[], uint16_t n);

/// Self-test /////////////////////////////////////////////////////////////////////////////////////

// Windows with the simulator's results, exported with the model as <name>_golden.
typedef struct {
    uint16_t windows;
    uint16_t steps;
    const int16_t *x;       // (windows, steps, inputs)
    const int32_t *scores;  // (windows, outputs), after the last step
    const uint32_t *states; // (windows), CRC-32 of all states as little-endian int16
} rnnedge_golden;

// Run the golden windows and compare every state (through its CRC) and score.
//
//   state    scratch  int16_t[state_size]
//   scratch  scratch  int16_t[scratch_size]
//   scores   scratch  int32_t[outputs]
//
//   RNNEDGE_ERR_NULL, RNNEDGE_ERR_ABI, RNNEDGE_ERR_MODEL, RNNEDGE_ERR_MISMATCH
rnnedge_status rnnedge_selftest(const rnnedge_model *model, const rnnedge_golden *golden,
                                int16_t state[], int16_t scratch[], int32_t scores[]);

/// Layers, named by exported models //////////////////////////////////////////////////////////////

// params is a rnnedge_gru with reset_after 1.
rnnedge_step_fn rnnedge_gru_step_after;

// params is a rnnedge_gru with reset_after 0.
rnnedge_step_fn rnnedge_gru_step_before;

// scores (out, int32_t[units]) of x (in, int16_t[inputs], Q0.15).
void rnnedge_dense_run(const rnnedge_dense *dense, int32_t scores[], const int16_t x[]);

#ifdef __cplusplus
}
#endif

#endif /* RNNEDGE_H */
