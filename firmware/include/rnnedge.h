/* rnnedge.h -- small recurrent networks in integers, for microcontrollers.
 *
 * This header is the manual. A model is exported by `rnnedge export`; ten lines use it:
 *
 *     #include "motor.h"
 *     static motor_memory ram;
 *     static rnnedge_instance sensor;
 *     rnnedge_init(&sensor, &motor, RNNEDGE_MEMORY(ram)); // RNNEDGE_OK, or what is wrong
 *     for (;;) {
 *         read_sensor(raw); // float raw[MOTOR_INPUTS], in the unit of the training data
 *         if (rnnedge_step(&sensor, raw) == RNNEDGE_READY) {
 *             use(sensor.result.label, sensor.result.probability);
 *         }
 *     }
 *
 * An instance is a model at work on one stream of samples: it normalises them, runs the network and
 * says when a result is ready. Any number of models and instances fit into one firmware, each with
 * a memory of its own; those that never run at the same time (no interrupt, no other thread between
 * them) may share the scratch of the largest. The functions on a model (rnnedge_model_...) are what
 * instances are made of, for those who keep the arrays themselves.
 *
 * No heap, no globals, no recursion, no libm. Floats only where a name below says so; a firmware
 * with int16 samples (rnnedge_step_counts) has none. A step of a network takes the same
 * instructions for every input and state; a result adds one division.
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
//   input x    int16   (raw - mean) / std = x * limit / 2^15, made by rnnedge_model_quantize; of
//                      an id a row of the model's table
//   state      int16   h: Q0.15 (relu: h * 2^(state_shift - 15)); LSTM: h, then the cell state c
//   score      int32   real value = score * 2^-fraction_bits
//   weight     int8    -127..127, one scale per row
//
// docs/arithmetic.md of the project defines every operation.

/// Version ///////////////////////////////////////////////////////////////////////////////////////

// Number formats and layout of the structs below. A model file checks it when it is compiled.
#define RNNEDGE_ABI 3

/// Kernel ////////////////////////////////////////////////////////////////////////////////////////
//
// The inner loops, and the order of the weights that they read, chosen from the compiler's own
// macros. Another choice: -DRNNEDGE_KERNEL=RNNEDGE_KERNEL_QUAD. The numbers never change with it.

#define RNNEDGE_KERNEL_ROWS 1 // portable C, weights row by row
#define RNNEDGE_KERNEL_QUAD 2 // four rows side by side: Cortex-M0, M0+, M3, RV32
#define RNNEDGE_KERNEL_DSP 3  // pairs of rows in 16 bits, SMLAD: Cortex-M4, M7, M33
#define RNNEDGE_KERNEL_MVE 4  // Helium: Cortex-M55
#define RNNEDGE_KERNEL_AVR 5  // weights in program memory, MUL

#ifndef RNNEDGE_KERNEL
#if defined(__ARM_FEATURE_MVE)
#define RNNEDGE_KERNEL RNNEDGE_KERNEL_MVE
#elif defined(__ARM_FEATURE_DSP) && defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M'
#define RNNEDGE_KERNEL RNNEDGE_KERNEL_DSP
#elif defined(__AVR__)
#define RNNEDGE_KERNEL RNNEDGE_KERNEL_AVR
#elif defined(__thumb__) || (defined(__riscv_xlen) && __riscv_xlen == 32)
#define RNNEDGE_KERNEL RNNEDGE_KERNEL_QUAD
#else
#define RNNEDGE_KERNEL RNNEDGE_KERNEL_ROWS
#endif
#endif

// Where constants live: program memory on AVR, whose functions read it; elsewhere plain const.
#if defined(__AVR__)
#define RNNEDGE_FLASH __attribute__((progmem))
#else
#define RNNEDGE_FLASH
#endif

/// Status ////////////////////////////////////////////////////////////////////////////////////////

typedef enum {
    RNNEDGE_READY = 1, // a result is ready
    RNNEDGE_OK = 0,
    RNNEDGE_ERR_NULL = -1,     // a pointer is NULL
    RNNEDGE_ERR_ABI = -2,      // the model was exported for another runtime: export again
    RNNEDGE_ERR_MODEL = -3,    // shapes of the layers do not fit each other
    RNNEDGE_ERR_INPUT = -4,    // a raw value is NaN, no such id, no counts, no such class
    RNNEDGE_ERR_MISMATCH = -5, // selftest: another result than the simulator's
    RNNEDGE_ERR_STREAM = -6,   // a bidirectional model sees whole windows, it cannot run on
    RNNEDGE_ERR_SAVED = -7,    // restore: damaged, or saved by another model
    RNNEDGE_ERR_RULES = -8,    // a rule is out of its range
    RNNEDGE_ERR_TASK = -9,     // not what this model is for: no ids, free steps, start or encoder
} rnnedge_status;

/// The model: const, in flash ////////////////////////////////////////////////////////////////////

// One input channel: raw units to int16.
typedef struct {
    float scale;        // 2^exponent: raw value to fixed point, exact
    int32_t multiplier; // 1..2^30
    int64_t offset;     // rounding half included
    uint8_t shift;      // 0..62
} rnnedge_channel;

struct rnnedge_cell;

// Where a product reads next: it moves both pointers behind what it used.
typedef struct {
    const void *weights;
    const int32_t *bias; // used where biases do not lie between the weights
} rnnedge_cursor;

// Accumulators of gates * units rows, in the kernel's order of weights (firmware/src/kernel.h).
typedef void rnnedge_product_fn(rnnedge_cursor *at, const struct rnnedge_cell *cell, const void *v,
                                uint8_t part, uint8_t gates, uint16_t units, int32_t acc[]);

// One recurrent layer, one direction: GRU (gates z, r, n), LSTM (i, f, g, o) or RNN.
//
// Rows come in blocks of 16 units, gate after gate, as the cell's step asks for them.
typedef struct rnnedge_cell {
    uint16_t units;
    uint16_t inputs;
    uint8_t input_bits;          // 8: reads the rounded top byte of x; 16: all of it
    uint8_t x_shift;             // of the narrowed input, 0..8
    uint8_t h_shift;             // of the narrowed state, 0..8
    uint8_t acc_shift;           // of the accumulator, 0..8; 0 with 8-bit inputs
    uint8_t state_shift;         // LSTM: of c; relu: of h; else 0
    rnnedge_product_fn *product; // for this layer's order of weights
    const void *weights;         // int8, in the kernel's order
    const int32_t *bias;         // accumulator format, rounding half included
    const uint8_t *multiplier;   // 1..255, row scales, padded to 4 a gate and block
} rnnedge_cell;

// One dense layer: int16 in; int32 scores out, or int16 if another layer follows.
typedef struct {
    uint16_t units;
    uint16_t inputs;
    uint8_t relu;              // 1: negative outputs become 0
    const int8_t *w;           // (units, inputs)
    const int32_t *bias;       // (units), accumulator format, rounding half included
    const int16_t *multiplier; // (units), 1..32767
} rnnedge_dense;

// Advance a cell by one step. state is updated in place; its first values are the output.
typedef void rnnedge_step_fn(const rnnedge_cell *cell, int16_t state[], const int16_t x[],
                             int32_t scratch[]);

// A recurrent layer of any kind. Only the step functions that a model names are linked.
typedef struct {
    rnnedge_step_fn *step;
    const rnnedge_cell *cell;
    const rnnedge_cell *backward; // the other direction of a bidirectional layer, or NULL
    uint16_t inputs;              // width of x
    uint16_t outputs;             // width of the output, both directions
    uint16_t state_size;          // int16 values of state of one direction
    uint8_t sequences;            // 1: the next layer reads every step
} rnnedge_layer;

struct rnnedge_task;

typedef struct rnnedge_model {
    uint16_t abi;                    // RNNEDGE_ABI
    uint16_t inputs;                 // int16 values of x: channels, or the width of an id's row
    uint16_t outputs;                // scores; of an encoder its last layer's width
    uint16_t window;                 // time steps of a training window
    uint16_t every;                  // steps from one result to the next, 0: a window
    uint16_t state_size;             // int16 values, all layers; 0 if the model cannot stream
    uint16_t scratch_size;           // int32 values, enough for its encoder and start, too
    uint8_t fraction_bits;           // of the scores
    uint8_t n_layers;                // recurrent layers
    uint8_t n_dense;                 // dense layers behind them; 0 of an encoder
    uint8_t bidirectional;           // 1: whole windows only
    const rnnedge_layer *layers;     // (n_layers)
    const rnnedge_dense *dense;      // (n_dense)
    const rnnedge_channel *channels; // (inputs), or NULL: samples are ids
    const char *const *classes;      // (outputs), names; of values the names of the targets; of an
                                     // encoder (rows), those of its ids, or NULL
    const uint8_t *sha256;           // (32), of the quantised model
    const struct rnnedge_task *task; // what more it is than a classifier of samples, or NULL
} rnnedge_model;

// What a score of a regression means: raw value = score * 2^-fraction_bits * std + mean.
typedef struct {
    float mean; // raw units
    float std;  // raw units, > 0
} rnnedge_target_map;

// A channel's x, one step ahead, of the score that forecasts it.
typedef struct {
    int64_t offset;     // rounding half included, below 2^61 in magnitude
    int32_t multiplier; // 1..2^30
    uint16_t source;    // index of the score
    uint8_t shift;      // 0..62
} rnnedge_feedback;

// When a forecast was wrong for too long.
typedef struct {
    int32_t threshold; // level, 0..2^24: above it is an anomaly
    uint16_t warmup;   // steps before the first judgement, 1..65535
    uint8_t smoothing; // 0..15: the level follows the error over about 2^smoothing steps
} rnnedge_detector;

// The state that a sequence starts from, made of features.
typedef struct {
    const rnnedge_channel *channels; // (dense->inputs), raw features to int16
    const rnnedge_dense *dense;      // units: the model's state_size
} rnnedge_start_map;

struct rnnedge_instance;

// What a model names of the runtime for its parts.
typedef rnnedge_status rnnedge_check_fn(const rnnedge_model *model);
typedef rnnedge_status rnnedge_quantize_fn(const rnnedge_model *model, int16_t x[],
                                           const float raw[]);
typedef void rnnedge_feed_fn(const rnnedge_model *model, const int32_t scores[], int16_t x[]);
typedef void rnnedge_watch_fn(struct rnnedge_instance *instance);

// The parts of a model; NULL where it has none. Only the functions that it names are linked.
typedef struct rnnedge_task {
    rnnedge_check_fn *check;           // of the parts; never NULL
    rnnedge_quantize_fn *quantize;     // of ids
    rnnedge_feed_fn *feed;             // scores to the next x, if there are free steps
    rnnedge_watch_fn *watch;           // the detector, before each step that takes a sample
    const int8_t *table;               // (rows, inputs): x = row * 2^8
    const rnnedge_target_map *targets; // (outputs), of a regression; NULL: scores of classes
    const rnnedge_feedback *feedback;  // (inputs)
    const rnnedge_detector *detector;
    const rnnedge_start_map *start;
    const rnnedge_model *encoder; // its steps work on this model's state
    uint16_t rows;                // ids, 0..rows - 1
} rnnedge_task;

/// Instances /////////////////////////////////////////////////////////////////////////////////////

// When an instance has a result, and what it takes for one.
//
//   every     0: after each window (the model's `window` steps), which starts from a zero state: as
//             a classifier of windows was trained, and as `rnnedge evaluate` measures it.
//             n > 0: the state runs on and there is a result after each n steps. Not for
//             bidirectional models.
//   reject    Q0.15, 0..32768: a result of a lower probability counts as RNNEDGE_REJECTED
//   majority  1..15: the label is that of most of the last `majority` results, or of as many as
//             there were; of several with the same number, the one that was seen last
typedef struct {
    uint16_t every;
    uint16_t reject;
    uint8_t majority;
} rnnedge_rules;

// A real probability 0..1 as Q0.15, by the compiler: rules.reject = RNNEDGE_Q15(0.6);
#ifdef __cplusplus
#define RNNEDGE_Q15(probability) static_cast<uint16_t>((probability) * 32768 + 0.5)
#else
#define RNNEDGE_Q15(probability) ((uint16_t)((probability) * 32768 + 0.5))
#endif

// The label of a result that was rejected, and of an instance that had none yet.
#define RNNEDGE_REJECTED (-1)

#define RNNEDGE_MAJORITY_MAX 15

// Of a detector label and best are RNNEDGE_NORMAL or RNNEDGE_ANOMALY, without probability. A
// regression's result is its scores (rnnedge_target): label and best stay RNNEDGE_REJECTED.
typedef struct {
    int16_t label;        // class by all rules, or RNNEDGE_REJECTED
    int16_t best;         // class of the largest score of this result alone
    uint16_t probability; // of `best`, Q0.15: 32768 is 1
} rnnedge_result;

#define RNNEDGE_NORMAL 0
#define RNNEDGE_ANOMALY 1

// A model at work on one stream of samples. Fields up to `scores` are for reading, the rest is the
// runtime's. Plain data: it may lie anywhere, but not be copied without its memory.
typedef struct rnnedge_instance {
    const rnnedge_model *model;
    rnnedge_rules rules;
    rnnedge_result result;
    int32_t level;   // of a detector: the error of its forecasts, beside the threshold
    int32_t *scores; // (outputs), of the last result, or of a later step that detector or free
                     // steps needed; real value: rnnedge_value, rnnedge_target
    int16_t *state;  // the memory
    int16_t *x;
    int32_t *scratch;
    int32_t *outputs;                    // scores of all steps
    uint32_t steps;                      // since the state was reset or made, 65,536 of more
    uint16_t count;                      // steps since the window began, or since the last result
    uint8_t current;                     // 1: scores are those of the present state
    uint8_t n_votes;                     // results of which a majority is taken
    int16_t votes[RNNEDGE_MAJORITY_MAX]; // the last one first
} rnnedge_instance;

// The four arrays of a <name>_memory as arguments: state, x, scratch, scores.
#define RNNEDGE_MEMORY(m) (m).state, (m).x, (m).scratch, (m).scores

// Make an instance of a model: check the model, take the rules {.every = the model's, .reject = 0,
// .majority = 1}, start anew.
//
//   instance  out
//   memory    kept     int16_t state[<NAME>_MEMORY_STATE_SIZE], x[<NAME>_X_SIZE],
//                      int32_t scratch[<NAME>_SCRATCH_SIZE], scores[<NAME>_SCORES_SIZE]: as one,
//                      RNNEDGE_MEMORY(a <name>_memory); it must live as long as the instance
//
//   RNNEDGE_ERR_NULL, RNNEDGE_ERR_ABI, RNNEDGE_ERR_MODEL (also: more than 32,767 classes, an
//   encoder). The instance then refuses everything with RNNEDGE_ERR_NULL.
rnnedge_status rnnedge_init(rnnedge_instance *instance, const rnnedge_model *model, int16_t state[],
                            int16_t x[], int32_t scratch[], int32_t scores[]);

// Start anew: zero state, an empty window, no result yet. The rules stay.
//
//   RNNEDGE_ERR_NULL
rnnedge_status rnnedge_reset(rnnedge_instance *instance);

// Take other rules, and start anew.
//
//   RNNEDGE_ERR_NULL; RNNEDGE_ERR_RULES, and RNNEDGE_ERR_STREAM for `every` of a bidirectional
//   model: the instance is left as it was
rnnedge_status rnnedge_set_rules(rnnedge_instance *instance, const rnnedge_rules *rules);

// Advance by one sample.
//
//   raw  in  float[inputs]  in the unit of the training data; of ids one float
//
// RNNEDGE_READY: `result` and `scores` are new. RNNEDGE_OK: not yet. Of a bidirectional model the
// step that completes the window computes it all. A model whose last recurrent layer has sequences
// gives the result of its last step, as `rnnedge evaluate` does; for one at each step: every = 1. A
// bidirectional one leaves the scores of all steps in the memory's scores.
//
//   RNNEDGE_ERR_NULL; RNNEDGE_ERR_INPUT if a value is NaN, or no id: the instance is left as it was
rnnedge_status rnnedge_step(rnnedge_instance *instance, const float raw[]);

// Advance by up to `steps` samples, but not past one that makes a result ready.
//
//   raw   in   float[steps * inputs], of ids float[steps]
//   done  out  samples taken, also if there was an error in the one after them
//
// The same as that many calls of rnnedge_step, with what the last one returned.
rnnedge_status rnnedge_run(rnnedge_instance *instance, const float raw[], uint32_t steps,
                           uint32_t *done);

// How a sensor's integers become one input channel: exported as <name>_counts, by
// `rnnedge export --counts-per-unit`; without it a count is a unit of the training data.
typedef struct {
    int64_t offset;     // rounding half included
    int32_t multiplier; // 0: a count is no unit of this channel that could be resolved
    uint8_t shift;      // 0..46
} rnnedge_counts;

// As rnnedge_step and rnnedge_run, of samples as the sensor's registers have them: no floats.
//
//   table   in  rnnedge_counts[inputs]  <name>_counts
//   counts  in  int16_t[inputs]         of all rnnedge_run_counts: [steps * inputs]
//
//   RNNEDGE_ERR_NULL; RNNEDGE_ERR_INPUT if a channel has no counts, RNNEDGE_ERR_TASK if samples are
//   ids: the instance is left as it was
rnnedge_status rnnedge_step_counts(rnnedge_instance *instance, const rnnedge_counts table[],
                                   const int16_t counts[]);
rnnedge_status rnnedge_run_counts(rnnedge_instance *instance, const rnnedge_counts table[],
                                  const int16_t counts[], uint32_t steps, uint32_t *done);

// The name of a class, "none" for RNNEDGE_REJECTED; of a detector "normal" and "anomaly"; of a
// regression that of an output; of an encoder (rnnedge_model_encoder) that of an id. From program
// memory on AVR.
//
//   name  out  char[size]  ends with 0; what does not fit is cut off between two characters
//
//   RNNEDGE_ERR_NULL (also: an encoder whose ids have no names); RNNEDGE_ERR_INPUT if there is no
//   such class or size is 0: name is then empty
rnnedge_status rnnedge_class_name(const rnnedge_model *model, int16_t label, char name[],
                                  uint16_t size);

// The real value of a score. Has floats, in a file of its own.
float rnnedge_value(const rnnedge_model *model, int32_t score);

// What a score of a regression says, in the unit of the target; the same as rnnedge_value if the
// model has classes. 0 if there is no such output. Has floats.
//
//   index  of the score: target and horizon, in the order of the exported header
float rnnedge_target(const rnnedge_model *model, uint16_t index, int32_t score);

/// Sequences /////////////////////////////////////////////////////////////////////////////////////
//
// For models of tasks that stream. Each step gives an answer, the first one of a text is that of
// the last id fed. A text that goes on by itself, up to <end> where the vocabulary has it: that
// also begins it.
//
//     rnnedge_reset(&writer);
//     rnnedge_step_id(&writer, end);
//     for (i = 0; i < n; i++) { rnnedge_step_id(&writer, prompt[i]); }
//     for (i = 0; i < 100 && writer.result.best != end; i++) {
//         use(writer.result.best);
//         rnnedge_step_back(&writer);
//     }
//
// A series from features:  rnnedge_start(&s, features), then rnnedge_step_back again and
//                          again; each gives an answer.
// A sequence to another:   rnnedge_reset, rnnedge_encode or rnnedge_encode_id for each sample; then
//                          rnnedge_step_id(&s, end) if the answers have an <end>, else
//                          rnnedge_step_back, which gives the first answer; rnnedge_step_back again
//                          and again.

// Advance by one id: as rnnedge_step, without a float.
//
//   RNNEDGE_ERR_NULL; RNNEDGE_ERR_TASK if samples are no ids; RNNEDGE_ERR_INPUT if there is no such
//   id: the instance is left as it was
rnnedge_status rnnedge_step_id(rnnedge_instance *instance, uint16_t id);

// Advance by a free step: x is what the last scores say of it (rnnedge_model_feed). Behind a reset,
// a start or an encoder there are none, and x is 0. The state goes on even if rules.every is 0.
//
//   RNNEDGE_ERR_NULL; RNNEDGE_ERR_TASK if the model has no free steps: the instance is left as it
//   was
rnnedge_status rnnedge_step_back(rnnedge_instance *instance);

// Start anew, from the state that features make.
//
//   features  in  float[]  <NAME>_FEATURES values in the order of the exported header
//
//   RNNEDGE_ERR_NULL; RNNEDGE_ERR_TASK if the model has no start; RNNEDGE_ERR_INPUT if a value is
//   NaN: the instance is left as it was
rnnedge_status rnnedge_start(rnnedge_instance *instance, const float features[]);

// Advance the encoder by one sample, in the instance's state. The model's own steps come behind;
// rnnedge_reset before the next sequence.
//
//   raw  in  float[]  <NAME>_ENCODER_RAW_VALUES values
//
//   RNNEDGE_ERR_NULL; RNNEDGE_ERR_TASK if the model has no encoder, or one that takes no ids;
//   RNNEDGE_ERR_INPUT if a value is NaN, or no id: the instance is left as it was
rnnedge_status rnnedge_encode(rnnedge_instance *instance, const float raw[]);
rnnedge_status rnnedge_encode_id(rnnedge_instance *instance, uint16_t id);

// The result now, whatever `every` says: of sequences of any length. The next one begins with the
// next sample. RNNEDGE_OK, and nothing else happens, if there was no sample since the last result.
//
//   RNNEDGE_ERR_NULL
rnnedge_status rnnedge_finish(rnnedge_instance *instance);

/// Save and restore //////////////////////////////////////////////////////////////////////////////
//
// For sleep, a watchdog or a change of firmware. The bytes are the same on every core: first bytes
// of the model's hash, rules, counters, votes, a detector's level, state (bidirectional models: the
// window so far) and a CRC-32. All integers are little-endian; firmware/src/save.c lists them.

// Bytes that rnnedge_save writes: <NAME>_SAVE_SIZE; 0 if model is NULL.
uint32_t rnnedge_save_size(const rnnedge_model *model);

// Write all that an instance will go on with.
//
//   bytes  out  uint8_t[<NAME>_SAVE_SIZE]
//
//   RNNEDGE_ERR_NULL
rnnedge_status rnnedge_save(const rnnedge_instance *instance, uint8_t bytes[]);

// Go on where rnnedge_save was: every later result and free step is the same. `scores` come with
// the next one.
//
//   instance  in/out  of the same model, after rnnedge_init
//   bytes     in      uint8_t[<NAME>_SAVE_SIZE]
//
//   RNNEDGE_ERR_NULL; RNNEDGE_ERR_SAVED if the bytes are damaged or of another model: the instance
//   is left as it was
rnnedge_status rnnedge_restore(rnnedge_instance *instance, const uint8_t bytes[]);

/// Self-test /////////////////////////////////////////////////////////////////////////////////////

struct rnnedge_golden;

// Make the state that a golden window begins with, of raw values in flash; crc goes on over every
// state on the way.
typedef uint32_t rnnedge_first_fn(const rnnedge_instance *instance,
                                  const struct rnnedge_golden *golden, const float *before,
                                  uint32_t crc);

// Windows with the simulator's results, exported with the model as <name>_golden; all in flash.
typedef struct rnnedge_golden {
    uint16_t windows;
    uint16_t steps;          // of each window, at most the model's
    uint16_t back;           // free steps behind each window
    uint16_t n_before;       // floats of `before` for each window
    rnnedge_first_fn *first; // makes the first state of a window; NULL: it is zero
    const float *before;     // (windows, n_before), raw: features, or an encoder's samples
    const float *raw;        // (windows, inputs or 1 id), the first sample of each in raw units
    const int16_t *x;        // (windows, steps, inputs)
    const int32_t *scores;   // (windows, outputs), after the last step
    const uint32_t *states; // (windows), CRC-32 of all states (bidirectional models: of all layers'
                            // outputs, as in rnnedge_model_window's buffer) as little-endian int16;
                            // first that of the features, or those of the encoder
    const uint32_t *free;   // (windows), CRC-32 of the states and scores of the free steps, step
                            // after step, little-endian int16 and int32; NULL if back is 0
} rnnedge_golden;

// Run the golden windows in the instance's memory: normalisation, start or encoder, every state
// (through its CRC) and score must be the simulator's. The instance starts anew, its rules stay.
// Has floats.
//
//   RNNEDGE_ERR_NULL, RNNEDGE_ERR_MISMATCH
rnnedge_status rnnedge_selftest(rnnedge_instance *instance, const rnnedge_golden *golden);

/// Models ////////////////////////////////////////////////////////////////////////////////////////
//
// What instances are made of. The arrays are the caller's: a state for each stream of samples;
// scratch may be shared between calls that do not run at the same time.

// Check an exported model once, before its first use: that it is of this runtime's version, and
// that its layers fit each other. If it is RNNEDGE_OK, the functions below can only fail for the
// reasons that they name. It is no defence against a model that was damaged or written by hand.
//
//   RNNEDGE_ERR_NULL, RNNEDGE_ERR_ABI, RNNEDGE_ERR_MODEL
rnnedge_status rnnedge_model_check(const rnnedge_model *model);

// Set the state to zero: the start of a sequence.
//
//   state  out  int16_t[state_size]
//
//   RNNEDGE_ERR_NULL
rnnedge_status rnnedge_model_reset(const rnnedge_model *model, int16_t state[]);

// Raw sensor values to the model's input: normalisation and quantisation.
//
//   x      out  int16_t[inputs]
//   raw    in   float[inputs]    in the unit of the training data; of ids float[1]
//
// Values beyond the format saturate. Has floats, in a file of its own.
//
//   RNNEDGE_ERR_NULL; RNNEDGE_ERR_INPUT if a value is NaN, or no id (x is then undefined)
rnnedge_status rnnedge_model_quantize(const rnnedge_model *model, int16_t x[], const float raw[]);

// The same of samples as the sensor's registers have them (rnnedge_step_counts): no floats.
//
//   table   in   rnnedge_counts[inputs]  <name>_counts
//   x       out  int16_t[inputs]
//   counts  in   int16_t[inputs]
//
//   RNNEDGE_ERR_NULL; RNNEDGE_ERR_INPUT if a channel has no counts (x is then undefined),
//   RNNEDGE_ERR_TASK if samples are ids
rnnedge_status rnnedge_model_quantize_counts(const rnnedge_model *model,
                                             const rnnedge_counts table[], int16_t x[],
                                             const int16_t counts[]);

// Advance one time step.
//
//   state    in/out   int16_t[state_size]    layer after layer
//   x        in       int16_t[inputs]        from rnnedge_model_quantize; every int16 is allowed
//   scratch  scratch  int32_t[scratch_size]  contents undefined on return
//
// Takes the same instructions for every x and state of the same model.
//
//   RNNEDGE_ERR_NULL, RNNEDGE_ERR_STREAM: state is left untouched
rnnedge_status rnnedge_model_step(const rnnedge_model *model, int16_t state[], const int16_t x[],
                                  int32_t scratch[]);

// Advance by `steps` time steps: the same as that many calls of rnnedge_model_step.
//
//   x        in       int16_t[steps * inputs]
//
//   RNNEDGE_ERR_NULL, RNNEDGE_ERR_STREAM: state is left untouched
rnnedge_status rnnedge_model_run(const rnnedge_model *model, int16_t state[], const int16_t x[],
                                 uint32_t steps, int32_t scratch[]);

// The scores for the present state: the dense layers.
//
//   state    in       int16_t[state_size]
//   scratch  scratch  int32_t[scratch_size]
//   scores   out      int32_t[outputs]     real value = score * 2^-fraction_bits
//
//   RNNEDGE_ERR_NULL, RNNEDGE_ERR_STREAM
rnnedge_status rnnedge_model_output(const rnnedge_model *model, const int16_t state[],
                                    int32_t scratch[], int32_t scores[]);

// A whole window from a zero state, layer by layer: for any model, the only way for bidirectional
// ones.
//
//   x        in       int16_t[steps * inputs]
//   buffer   out      int16_t[], <NAME>_BUFFER_SIZE values for `window` steps: the output of each
//                     layer, every step of those with sequences and the last of the others, then
//                     the state of one direction
//   scratch  scratch  int32_t[scratch_size]
//   scores   out      int32_t[outputs], of the last step; a model whose last recurrent layer has
//                     sequences: int32_t[steps * outputs], of every step
//
//   RNNEDGE_ERR_NULL; RNNEDGE_ERR_INPUT if steps is 0
rnnedge_status rnnedge_model_window(const rnnedge_model *model, const int16_t x[], uint16_t steps,
                                    int16_t buffer[], int32_t scratch[], int32_t scores[]);

// The row of an id: x = table[id] * 2^8.
//
//   x   out  int16_t[inputs]
//
//   RNNEDGE_ERR_NULL, RNNEDGE_ERR_TASK; RNNEDGE_ERR_INPUT if there is no such id
rnnedge_status rnnedge_model_embed(const rnnedge_model *model, uint16_t id, int16_t x[]);

// What a free step takes: the forecast of x that the scores are, or the row of the class with the
// largest score.
//
//   scores  in   int32_t[outputs]
//   x       out  int16_t[inputs]
//
//   RNNEDGE_ERR_NULL, RNNEDGE_ERR_TASK
rnnedge_status rnnedge_model_feed(const rnnedge_model *model, const int32_t scores[], int16_t x[]);

// The state that features make.
//
//   state     out      int16_t[state_size]
//   features  in       float[]
//   scratch   scratch  int32_t[scratch_size]
//
//   RNNEDGE_ERR_NULL, RNNEDGE_ERR_TASK; RNNEDGE_ERR_INPUT if a value is NaN: state is left
//   untouched
rnnedge_status rnnedge_model_start(const rnnedge_model *model, int16_t state[],
                                   const float features[], int32_t scratch[]);

// The model whose steps (rnnedge_model_step, in the same state) make the first state; NULL if there
// is none.
const rnnedge_model *rnnedge_model_encoder(const rnnedge_model *model);

// Index of the largest of n >= 1 scores, the first one of equals.
uint16_t rnnedge_argmax(const int32_t scores[], uint16_t n);

// Probabilities of n >= 1 scores, Q0.15: 32768 is 1. Integers only; one division a class.
//
//   probability  out  uint16_t[n]
void rnnedge_softmax(const int32_t scores[], uint16_t n, uint8_t fraction_bits,
                     uint16_t probability[]);

// That of one class alone.
uint16_t rnnedge_probability(const int32_t scores[], uint16_t n, uint8_t fraction_bits,
                             uint16_t index);

/// Layers, named by exported models //////////////////////////////////////////////////////////////

rnnedge_step_fn rnnedge_gru_after_step;  // the reset gate acts after the recurrent product
rnnedge_step_fn rnnedge_gru_before_step; // before it
rnnedge_step_fn rnnedge_lstm_step;
rnnedge_step_fn rnnedge_rnn_tanh_step;
rnnedge_step_fn rnnedge_rnn_relu_step;

// Products: narrow layers have 8-bit inputs and accumulators below 2^23, wide layers any.
rnnedge_product_fn rnnedge_product_narrow;
rnnedge_product_fn rnnedge_product_wide;

/// Parts, named by exported models ////////////////////////////////////////////////////////////////

rnnedge_check_fn rnnedge_check_task;
rnnedge_quantize_fn rnnedge_quantize_id;
rnnedge_feed_fn rnnedge_feed_values; // by the maps of feedback
rnnedge_feed_fn rnnedge_feed_best;   // the row of the class with the largest score
rnnedge_watch_fn rnnedge_watch_errors;
rnnedge_first_fn rnnedge_first_features; // of golden windows
rnnedge_first_fn rnnedge_first_encoded;

#ifdef __cplusplus
}
#endif

#endif /* RNNEDGE_H */
