/* serial.h -- a model behind a serial line: `rnnedge verify --board` is the other end.
 *
 *     #include "kws.h"
 *     #include "rnnedge/serial/serial.h"
 *     static kws_memory ram;
 *     static rnnedge_serial line;
 *     rnnedge_serial_init(&line, &kws, KWS_NAME, kws_counts, RNNEDGE_MEMORY(ram), send, NULL, 0);
 *     for (;;) { rnnedge_serial_receive(&line, next_byte()); }
 *
 * Any bytes may arrive. Answers leave through `send` before rnnedge_serial_receive returns; it
 * never waits. docs/protocol.md of the project describes the protocol.
 *
 * Copyright 2026 The rnnedge authors. SPDX-License-Identifier: Apache-2.0
 */
#ifndef RNNEDGE_SERIAL_H
#define RNNEDGE_SERIAL_H

#include "../include/rnnedge.h"

#ifdef __cplusplus
extern "C" {
#endif

// Version of frames, requests and answers.
#define RNNEDGE_SERIAL_PROTOCOL 1

// Bytes of a frame: kind, session and number, at most so much payload, CRC-32.
#define RNNEDGE_SERIAL_PAYLOAD 68
#define RNNEDGE_SERIAL_FRAME (5 + RNNEDGE_SERIAL_PAYLOAD + 4)

// Send bytes; returns when they are on their way.
typedef void rnnedge_serial_write_fn(const uint8_t *bytes, uint16_t n);

// A counter that runs upwards and starts again from 0 after 2^32 - 1.
typedef uint32_t rnnedge_serial_cycles_fn(void);

// Set up by rnnedge_serial_init; nothing in it is for the caller, but for `stack`.
typedef struct {
    const rnnedge_model *model;
    const char *name;
    const rnnedge_counts *counts;
    int16_t *state;
    int16_t *x;
    int32_t *scratch;
    int32_t *scores;
    rnnedge_serial_write_fn *write;
    rnnedge_serial_cycles_fn *cycles;
    uint32_t cycles_hz;
    uint16_t (*stack)(void); // bytes of stack used so far, or NULL: may be set after init
    uint32_t values;         // int16 values that a step (or window) leaves
    uint32_t overhead;       // cycles between two reads of the counter
    uint32_t taken;          // cycles of the last step
    uint32_t crc;            // of the bytes received so far
    uint32_t request;        // CRC of the last request, by which it is known again
    uint16_t session;        // 0: none, the board has just started
    uint16_t number;         // of the last request
    uint8_t outcome;         // of the last request that moved a state: 0 or a code
    uint8_t stepped;         // 1: there was a step since the state was reset
    uint8_t open;            // 1: a frame has begun
    uint8_t digits;          // received of it
    uint8_t frame[RNNEDGE_SERIAL_FRAME];
} rnnedge_serial;

// Get ready to serve one model.
//
//   name       characters that outlive the server; at most 255 are told
//   counts     of the model, or NULL: samples in counts are refused
//   state      int16_t[]; bidirectional models: int16_t[<NAME>_BUFFER_SIZE]
//   x          int16_t[inputs]; bidirectional models: int16_t[window * inputs]
//   scratch    int32_t[scratch_size]
//   scores     int32_t[outputs]; where rnnedge_model_window gives every step: [window * outputs]
//   cycles     NULL if there is no counter; cycles_hz is then 0
//
//   RNNEDGE_ERR_NULL; RNNEDGE_ERR_ABI, RNNEDGE_ERR_MODEL: the server runs, and answers with an
//   error
rnnedge_status rnnedge_serial_init(rnnedge_serial *serial, const rnnedge_model *model,
                                   const char *name, const rnnedge_counts *counts, int16_t state[],
                                   int16_t x[], int32_t scratch[], int32_t scores[],
                                   rnnedge_serial_write_fn *write, rnnedge_serial_cycles_fn *cycles,
                                   uint32_t cycles_hz);

// Take the next byte of the line; serve a request with its last one.
void rnnedge_serial_receive(rnnedge_serial *serial, uint8_t byte);

#ifdef __cplusplus
}
#endif

#endif /* RNNEDGE_SERIAL_H */
