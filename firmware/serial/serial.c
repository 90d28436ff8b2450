/* serial.c -- requests from a serial line, answered one at a time; docs/protocol.md.
 *
 * What makes it safe: a request is only taken if its CRC-32 is right, its session is the one that
 * HELLO began, and its number follows the last one. So what the model computed follows from the
 * requests 1 to `number` of the session and nothing else, whatever the line did. The same request
 * again is answered again without computing again; there is no copy of the last answer, as what it
 * was made of is still there.
 */
#include "serial.h"

#include "../src/crc.h"
#include "../src/feed.h"
#include "../src/flash.h"
#include "../src/input.h"
#include "../src/instance.h"
#include "../src/start.h"

#include <stddef.h>

#define REQUEST '>'
#define ANSWER '<'
#define END '\n'

#define HEAD 5           // kind, session, number
#define SMALLEST (5 + 4) // without payload
#define ANSWERS 0x80     // in the kind of an answer
#define FIRST_VALUES 32  // of the state, in the answer of STEP
#define BROKEN UINT8_MAX // of `digits`: no hexadecimal digit, or too many

enum { HELLO = 1, RESET, WRITE, STEP, READ, BACK, START, ENCODE, ERROR = 0x7F };

enum { STATE, SCORES, NAME, STACK };

enum { QUANTISED, RAW, COUNTS };

enum {
    DAMAGED = 1, // CRC, length or characters
    SESSION,     // none, or another one: the board has started anew
    NUMBER,      // neither the next one nor the last one again
    KIND,        // no such request, or nothing of the sort to read
    LENGTH,      // the payload is no such request's
    RANGE,       // beyond the model's inputs or values
    INPUT,       // not a number, or a channel without counts
    MODEL        // refused by rnnedge_model_check
};

/// Answers ///////////////////////////////////////////////////////////////////////////////////////

// An answer on its way out: characters are gathered, for lines that like to send many at once.
typedef struct {
    rnnedge_serial_write_fn *write;
    uint32_t crc;
    uint8_t n;
    uint8_t text[32];
} answer;

static void put_character(answer *out, char character) {
    out->text[out->n++] = (uint8_t)character;
    if (out->n == sizeof out->text || character == END) {
        out->write(out->text, out->n);
        out->n = 0;
    }
}

static void put_digit(answer *out, uint8_t value) {
    put_character(out, (char)(value < 10 ? '0' + value : 'A' - 10 + value));
}

static void put8(answer *out, uint8_t value) {
    out->crc = rnnedge_crc32(out->crc, value);
    put_digit(out, value >> 4);
    put_digit(out, value & 15);
}

static void put16(answer *out, uint16_t value) {
    put8(out, (uint8_t)(value & 255));
    put8(out, (uint8_t)(value >> 8));
}

static void put32(answer *out, uint32_t value) {
    put16(out, (uint16_t)(value & 0xFFFF));
    put16(out, (uint16_t)(value >> 16));
}

static void begin(answer *out, const rnnedge_serial *s, uint8_t kind, uint16_t session,
                  uint16_t number) {
    out->write = s->write;
    out->crc = RNNEDGE_CRC_START;
    out->n = 0;
    put_character(out, ANSWER);
    put8(out, kind | ANSWERS);
    put16(out, session);
    put16(out, number);
}

static void end(answer *out) {
    put32(out, ~out->crc);
    put_character(out, END);
}

/// The model /////////////////////////////////////////////////////////////////////////////////////

// int16 values that a step leaves; of bidirectional models the outputs of all layers in a window.
static uint32_t count_values(const rnnedge_model *model) {
    if (RNNEDGE_GET8(&model->bidirectional) == 0) {
        return RNNEDGE_GET16(&model->state_size);
    }
    const rnnedge_layer *layer = RNNEDGE_GETP(const rnnedge_layer *, &model->layers);
    uint32_t values = 0;
    for (uint8_t left = RNNEDGE_GET8(&model->n_layers); left > 0; left--, layer++) {
        const uint32_t outputs = RNNEDGE_GET16(&layer->outputs);
        const uint16_t window = RNNEDGE_GET16(&model->window);
        values += RNNEDGE_GET8(&layer->sequences) != 0 ? outputs * window : outputs;
    }
    return values;
}

// The scores of the last step, for the present state or the window that was run last.
static const int32_t *last_scores(const rnnedge_serial *s) {
    const rnnedge_model *model = s->model;
    if (RNNEDGE_GET8(&model->bidirectional) == 0) {
        rnnedge_model_output(model, s->state, s->scratch, s->scores);
        return s->scores;
    }
    return s->scores + rnnedge_last_scores(model, RNNEDGE_GET16(&model->window));
}

// A step of the model or its encoder, or the whole window of a bidirectional model, and the cycles
// that it took.
static void run(rnnedge_serial *s, const rnnedge_model *model) {
    const uint8_t whole = RNNEDGE_GET8(&model->bidirectional);
    const uint32_t started = s->cycles == NULL ? 0 : s->cycles();
    if (whole != 0) {
        rnnedge_model_window(model, s->x, RNNEDGE_GET16(&model->window), s->state, s->scratch,
                             s->scores);
    } else {
        rnnedge_model_step(model, s->state, s->x, s->scratch);
        s->stepped = 1;
    }
    const uint32_t taken = s->cycles == NULL ? 0 : s->cycles() - started;
    s->taken = taken > s->overhead ? taken - s->overhead : 0;
}

static void reset(rnnedge_serial *s) {
    rnnedge_model_reset(s->model, s->state);
    s->stepped = 0;
}

// The x of a free step: of the scores that there are, or zero.
static void feed_x(rnnedge_serial *s, rnnedge_feed_fn *feed) {
    if (s->stepped != 0) {
        feed(s->model, last_scores(s), s->x);
        return;
    }
    for (uint16_t i = 0; i < RNNEDGE_GET16(&s->model->inputs); i++) {
        s->x[i] = 0;
    }
}

/// Requests //////////////////////////////////////////////////////////////////////////////////////

static uint16_t get16(const uint8_t *bytes) {
    return (uint16_t)(bytes[0] | (uint16_t)bytes[1] << 8);
}

static uint32_t get32(const uint8_t *bytes) {
    return get16(bytes) | (uint32_t)get16(bytes + 2) << 16;
}

// Where values are written, and what they are.
typedef struct {
    const rnnedge_model *ids;        // of a sample that is an id
    const rnnedge_channel *channels; // NULL: ids
    const rnnedge_counts *counts;    // NULL: there are none
    int16_t *x;
    uint16_t inputs; // int16 values of a sample
    uint16_t steps;
    uint8_t whole; // out: 1: the last value was there
} place;

static place place_of(const rnnedge_serial *s, const rnnedge_model *model) {
    const place to = {model,
                      RNNEDGE_GETP(const rnnedge_channel *, &model->channels),
                      model == s->model ? s->counts : NULL,
                      s->x,
                      RNNEDGE_GET16(&model->inputs),
                      RNNEDGE_GET8(&model->bidirectional) != 0 ? RNNEDGE_GET16(&model->window) : 1,
                      0};
    return to;
}

// n bytes of a payload: u8 format, u32 index of the first value, values. Return 0 or an error.
static uint8_t write_values(place *to, const uint8_t *bytes, uint8_t n) {
    const uint8_t format = bytes[0];
    const uint8_t bytes_each = format == RAW ? 4 : 2;
    if (n < 5 || (n - 5) % bytes_each != 0) {
        return LENGTH;
    }
    const uint8_t ids = to->channels == NULL && format == RAW;
    const uint16_t inputs = ids ? 1 : to->inputs;
    const uint16_t values = ids ? to->inputs : 1; // of x for one
    const uint32_t room = (uint32_t)inputs * to->steps;
    const uint32_t from = get32(bytes + 1);
    uint8_t left = (uint8_t)((n - 5) / bytes_each);
    if (from > room || left > room - from) {
        return RANGE;
    }
    if (format > COUNTS || (format == COUNTS && to->counts == NULL)) {
        return KIND;
    }
    to->whole = left > 0 && left == room - from;
    uint16_t channel = (uint16_t)(from % inputs);
    int16_t *x = to->x + from * values;
    for (bytes += 5; left > 0; left--, x += values, bytes += bytes_each) {
        if (format == RAW) {
            union {
                uint32_t bits;
                float value;
            } raw = {get32(bytes)};
            if ((ids ? rnnedge_model_quantize(to->ids, x, &raw.value)
                     : rnnedge_quantize_channels(to->channels + channel, x, &raw.value, 1)) !=
                RNNEDGE_OK) {
                return INPUT;
            }
        } else {
            *x = (int16_t)get16(bytes);
            if (format == COUNTS &&
                rnnedge_quantize_counts(to->counts + channel, x, x, 1) != RNNEDGE_OK) {
                return INPUT;
            }
        }
        channel = channel + 1 == inputs ? 0 : (uint16_t)(channel + 1);
    }
    return 0;
}

static uint8_t write_x(rnnedge_serial *s, const uint8_t *bytes, uint8_t n) {
    place to = place_of(s, s->model);
    return write_values(&to, bytes, n);
}

// Features; the last one makes the state. Return 0 or an error.
static uint8_t start_state(rnnedge_serial *s, const uint8_t *bytes, uint8_t n) {
    const rnnedge_start_map *start = rnnedge_starts(s->model);
    if (start == NULL) {
        return KIND;
    }
    const rnnedge_dense *dense = RNNEDGE_GETP(const rnnedge_dense *, &start->dense);
    place to = {NULL,
                RNNEDGE_GETP(const rnnedge_channel *, &start->channels),
                NULL,
                (int16_t *)(void *)s->scratch,
                RNNEDGE_GET16(&dense->inputs),
                1,
                0};
    const uint8_t code = write_values(&to, bytes, n);
    if (code == 0 && to.whole != 0) {
        rnnedge_start_state(start, s->state, to.x);
        s->stepped = 0;
    }
    return code;
}

// A sample of the encoder; its last value makes the step. Return 0 or an error.
static uint8_t encode(rnnedge_serial *s, const uint8_t *bytes, uint8_t n) {
    const rnnedge_model *encoder = rnnedge_model_encoder(s->model);
    if (encoder == NULL) {
        return KIND;
    }
    place to = place_of(s, encoder);
    const uint8_t code = write_values(&to, bytes, n);
    if (code == 0 && to.whole != 0) {
        run(s, encoder);
        s->stepped = 0;
    }
    return code;
}

static void put_values(answer *out, const int16_t *values, uint32_t n) {
    for (; n > 0; n--) {
        put16(out, (uint16_t)*values++);
    }
}

static uint8_t name_length(const rnnedge_serial *s) {
    uint8_t n = 0;
    while (n < UINT8_MAX && s->name[n] != 0) {
        n++;
    }
    return n;
}

// What HELLO answers; rnnedge/serialline/device.py reads it.
static void put_description(answer *out, const rnnedge_serial *s) {
    const rnnedge_model *model = s->model;
    put8(out, RNNEDGE_SERIAL_PROTOCOL);
    put8(out, (uint8_t)((RNNEDGE_GET8(&model->bidirectional) != 0 ? 1 : 0) |
                        (s->counts != NULL ? 2 : 0) | (s->stack != NULL ? 4 : 0)));
    put16(out, RNNEDGE_GET16(&model->abi));
    put16(out, RNNEDGE_GET16(&model->inputs));
    put16(out, RNNEDGE_GET16(&model->outputs));
    put16(out, RNNEDGE_GET16(&model->window));
    put32(out, s->values);
    put32(out, s->cycles_hz);
    put8(out, RNNEDGE_GET8(&model->fraction_bits));
    put8(out, RNNEDGE_KERNEL);
    put8(out, name_length(s));
    const uint8_t *sha256 = RNNEDGE_GETP(const uint8_t *, &model->sha256);
    for (uint8_t left = 32; left > 0; left--) {
        put8(out, RNNEDGE_GET8(sha256++));
    }
}

// Values that READ can give of something; 0 if it is not there.
static uint32_t readable(const rnnedge_serial *s, uint8_t what) {
    switch (what) {
    case STATE:
        return s->values;
    case SCORES:
        return RNNEDGE_GET16(&s->model->outputs);
    case NAME:
        return name_length(s);
    case STACK:
        return s->stack != NULL;
    default:
        return 0;
    }
}

// READ's payload: u8 what, u32 index of the first value, u8 count. Return 0 or an error.
static uint8_t check_read(const rnnedge_serial *s, const uint8_t *bytes, uint8_t n) {
    if (n != 6) {
        return LENGTH;
    }
    const uint8_t width = bytes[0] == NAME ? 1 : bytes[0] == STATE ? 2 : 4;
    const uint32_t from = get32(bytes + 1), size = readable(s, bytes[0]);
    const uint8_t count = bytes[5];
    if (size == 0) {
        return KIND;
    }
    if (count > RNNEDGE_SERIAL_PAYLOAD / width || from > size || count > size - from) {
        return RANGE;
    }
    return 0;
}

static void put_read(answer *out, const rnnedge_serial *s, const uint8_t *bytes) {
    const uint32_t from = get32(bytes + 1);
    uint8_t left = bytes[5];
    switch (bytes[0]) {
    case STATE:
        put_values(out, s->state + from, left);
        break;
    case SCORES:
        for (const int32_t *score = last_scores(s) + from; left > 0; left--) {
            put32(out, (uint32_t)*score++);
        }
        break;
    case NAME:
        for (const char *name = s->name + from; left > 0; left--) {
            put8(out, (uint8_t)*name++);
        }
        break;
    default:
        put32(out, s->stack());
    }
}

// Run a request that is new or, if it moves no state, the last one again. Return 0 or an error.
static uint8_t perform(rnnedge_serial *s, uint8_t kind, uint8_t repeated, uint8_t n) {
    const uint8_t *payload = s->frame + HEAD;
    switch (kind) {
    case RESET:
        if (n != 0) {
            return LENGTH;
        }
        reset(s);
        return 0;
    case WRITE:
        return write_x(s, payload, n);
    case STEP:
        if (!repeated) {
            s->outcome = n == 0 ? 0 : write_x(s, payload, n);
            if (s->outcome == 0) {
                run(s, s->model);
            }
        }
        return s->outcome;
    case READ:
        return check_read(s, payload, n);
    case BACK:
        if (!repeated) {
            rnnedge_feed_fn *feed = rnnedge_feeds(s->model);
            s->outcome = n != 0 ? LENGTH : feed == NULL ? KIND : 0;
            if (s->outcome == 0) {
                feed_x(s, feed);
                run(s, s->model);
            }
        }
        return s->outcome;
    case START:
    case ENCODE:
        if (!repeated) {
            s->taken = 0;
            s->outcome = kind == START ? start_state(s, payload, n) : encode(s, payload, n);
        }
        return s->outcome;
    default:
        return KIND;
    }
}

// Whether the request is one to take: 0, or an error.
static uint8_t check_order(rnnedge_serial *s, uint8_t kind, uint16_t session, uint16_t number,
                           uint32_t request) {
    const uint16_t next = s->number == UINT16_MAX ? 1 : (uint16_t)(s->number + 1);
    if (session == 0) {
        return SESSION;
    }
    if (kind == HELLO) {
        if (session != s->session) {
            s->session = session;
            s->number = 0;
            s->request = request;
            reset(s);
        }
        return 0;
    }
    if (session != s->session) {
        return SESSION;
    }
    if (number == s->number ? request != s->request : number != next) {
        return NUMBER;
    }
    return 0;
}

// Answer the frame, whose CRC is right.
static void serve(rnnedge_serial *s) {
    const uint8_t kind = s->frame[0], n = (uint8_t)(s->digits / 2 - SMALLEST);
    const uint16_t session = get16(s->frame + 1), number = get16(s->frame + 3);
    const uint32_t request = get32(s->frame + HEAD + n);
    uint8_t code = s->values == 0 ? MODEL : check_order(s, kind, session, number, request);
    if (code == 0 && kind != HELLO) {
        const uint8_t repeated = number == s->number;
        s->number = number;
        s->request = request;
        code = perform(s, kind, repeated, n);
    }
    answer out;
    begin(&out, s, code == 0 ? kind : ERROR, session, number);
    if (code != 0) {
        put8(&out, code);
        put8(&out, kind);
    } else if (kind == HELLO) {
        put_description(&out, s);
    } else if (kind != RESET && kind != WRITE && kind != READ) {
        put32(&out, s->taken);
        put_values(&out, s->state, s->values < FIRST_VALUES ? s->values : FIRST_VALUES);
    } else if (kind == READ) {
        put_read(&out, s, s->frame + HEAD);
    }
    end(&out);
}

// A frame that is none: ask for it again.
static void refuse(const rnnedge_serial *s) {
    answer out;
    begin(&out, s, ERROR, s->session, 0);
    put8(&out, DAMAGED);
    put8(&out, 0);
    end(&out);
}

/// Interface /////////////////////////////////////////////////////////////////////////////////////

rnnedge_status rnnedge_serial_init(rnnedge_serial *serial, const rnnedge_model *model,
                                   const char *name, const rnnedge_counts *counts, int16_t state[],
                                   int16_t x[], int32_t scratch[], int32_t scores[],
                                   rnnedge_serial_write_fn *write, rnnedge_serial_cycles_fn *cycles,
                                   uint32_t cycles_hz) {
    if (serial == NULL || name == NULL || state == NULL || x == NULL || scratch == NULL ||
        scores == NULL || write == NULL) {
        return RNNEDGE_ERR_NULL;
    }
    serial->model = model;
    serial->name = name;
    serial->counts = counts;
    serial->state = state;
    serial->x = x;
    serial->scratch = scratch;
    serial->scores = scores;
    serial->write = write;
    serial->cycles = cycles;
    serial->cycles_hz = cycles_hz;
    serial->stack = NULL;
    serial->values = serial->overhead = serial->taken = 0;
    serial->session = serial->number = 0;
    serial->open = serial->outcome = serial->stepped = 0;
    const rnnedge_status status = rnnedge_model_check(model);
    if (status != RNNEDGE_OK) {
        return status;
    }
    serial->values = count_values(model);
    if (cycles != NULL) {
        const uint32_t started = cycles();
        serial->overhead = cycles() - started;
    }
    return rnnedge_model_reset(model, state);
}

void rnnedge_serial_receive(rnnedge_serial *serial, uint8_t byte) {
    rnnedge_serial *s = serial;
    if (byte == REQUEST) {
        s->crc = RNNEDGE_CRC_START;
        s->digits = 0;
        s->open = 1;
        return;
    }
    if (s->open == 0) {
        return; // between frames: noise
    }
    if (byte == END) {
        s->open = 0;
        // over a frame and its own CRC the CRC-32 is always the same
        if (s->digits != BROKEN && s->digits % 2 == 0 && s->digits >= 2 * SMALLEST &&
            s->crc == UINT32_C(0xDEBB20E3)) {
            serve(s);
        } else {
            refuse(s);
        }
        return;
    }
    const uint8_t digit = byte >= '0' && byte <= '9'   ? (uint8_t)(byte - '0')
                          : byte >= 'A' && byte <= 'F' ? (uint8_t)(byte - 'A' + 10)
                                                       : BROKEN;
    if (digit == BROKEN || s->digits >= 2 * RNNEDGE_SERIAL_FRAME) { // BROKEN is one of those
        s->digits = BROKEN;
    } else if (s->digits++ % 2 == 0) {
        s->frame[s->digits / 2] = (uint8_t)(digit << 4);
    } else {
        uint8_t *last = &s->frame[s->digits / 2 - 1];
        *last |= digit;
        s->crc = rnnedge_crc32(s->crc, *last);
    }
}
