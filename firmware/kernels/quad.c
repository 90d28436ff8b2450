/* quad.c -- four rows side by side: expansion, parts of v, and the sums in portable C. */
#include "../src/kernel.h"
#include "quad_sums.h"

#if RNNEDGE_KERNEL == RNNEDGE_KERNEL_QUAD

#define OFFSETS 0x80808080u // 128 in each place

#ifdef RNNEDGE_QUAD_V7M
static inline uint32_t narrow(int32_t v) {
    int32_t limited;
    __asm__("ssat %0, #8, %1, asr #8" : "=r"(limited) : "r"(v + 128));
    return (uint32_t)limited;
}
#else
// narrow(): only rounding up to 128 can leave int8, and then u has reached 2^16.
static inline uint32_t narrow(int32_t v) {
    const uint32_t u = (uint32_t)(v + 128 + 32768);
    return (u >> 8) - (u >> 16) - 128;
}
#endif

// Narrow, shift and sum up.
static uint32_t expand(rnnedge_v *v, const int16_t *values, uint32_t n, uint8_t shift) {
    uint32_t sum = 0;
    for (const rnnedge_v *const end = v + n; v != end; v++) {
        const uint32_t value = narrow(*values++) << shift;
        *v = (int32_t)value;
        sum += value;
    }
    return sum;
}

static uint32_t expand16(rnnedge_v *v, const int16_t *values, uint32_t n) {
    uint32_t sum = 0;
    for (const rnnedge_v *const end = v + n; v != end; v++) {
        *v = *values++;
        sum += (uint32_t)*v;
    }
    return sum;
}

void rnnedge_expand(rnnedge_v v[], const int16_t values[], uint16_t n, uint8_t shift) {
    expand(v, values, n, shift);
}

rnnedge_v *rnnedge_expand_hx(const rnnedge_cell *cell, const int16_t h[], const int16_t x[],
                             int32_t scratch[], uint8_t gates) {
    const uint16_t stride = rnnedge_stride(rnnedge_block(cell, 0));
    rnnedge_v *start = scratch + (uint16_t)(gates * stride);
    rnnedge_v *v = start + RNNEDGE_QUAD_STARTS, *vx = v + cell->units;
    const uint32_t sum_h = expand(v, h, cell->units, cell->h_shift);
    const uint32_t sum_x = cell->input_bits == 8 ? expand(vx, x, cell->inputs, cell->x_shift)
                                                 : expand16(vx, x, cell->inputs);
    start[RNNEDGE_PART_H] = (int32_t)((0 - sum_h) * OFFSETS);
    start[RNNEDGE_PART_X] = (int32_t)((0 - sum_x) * OFFSETS);
    start[RNNEDGE_PART_HX] = (int32_t)((0 - sum_h - sum_x) * OFFSETS);
    return v;
}

typedef const uint32_t *groups_fn(const uint32_t *w, const rnnedge_v *v, uint32_t columns,
                                  int32_t *acc, uint32_t start, const int32_t *end);

static inline void product(groups_fn *groups, rnnedge_cursor *at, const rnnedge_cell *cell,
                           const rnnedge_v *v, uint8_t part, uint8_t gates, uint16_t units,
                           int32_t acc[]) {
    const int32_t *const starts = v - RNNEDGE_QUAD_STARTS;
    const uint32_t h = cell->units, x = cell->inputs;
    const int32_t *const end = acc + gates * rnnedge_stride(units);
    uint32_t columns = (part == RNNEDGE_PART_X ? 0 : h) + (part == RNNEDGE_PART_H ? 0 : x);
    uint32_t start;
    if (part == RNNEDGE_PART_XG) {
        uint32_t sum = 0;
        for (uint32_t i = 0; i < h; i++) {
            sum += (uint32_t)v[h + x + i];
        }
        start = (uint32_t)starts[RNNEDGE_PART_X] - sum * OFFSETS;
    } else {
        start = (uint32_t)starts[part];
    }
    if (part == RNNEDGE_PART_X || part == RNNEDGE_PART_XG) {
        v += h;
    }
    at->weights = groups((const uint32_t *)at->weights, v, columns, acc, start, end);
}

void rnnedge_product_narrow(rnnedge_cursor *at, const rnnedge_cell *cell, const void *v,
                            uint8_t part, uint8_t gates, uint16_t units, int32_t acc[]) {
    product(rnnedge_quad_narrow, at, cell, (const rnnedge_v *)v, part, gates, units, acc);
}

void rnnedge_product_wide(rnnedge_cursor *at, const rnnedge_cell *cell, const void *v, uint8_t part,
                          uint8_t gates, uint16_t units, int32_t acc[]) {
    product(rnnedge_quad_wide, at, cell, (const rnnedge_v *)v, part, gates, units, acc);
}

#ifdef RNNEDGE_QUAD_C

const uint32_t *rnnedge_quad_narrow(const uint32_t *w, const rnnedge_v *v, uint32_t columns,
                                    int32_t *acc, uint32_t start, const int32_t *end) {
    for (; acc != end; acc += 4, w += 4) {
        sums s = start_narrow(start);
        for (uint32_t i = 0; i < columns; i++) {
            add_narrow(&s, *w++, (uint32_t)v[i]);
        }
        store_narrow(acc, w, &s);
    }
    return w;
}

const uint32_t *rnnedge_quad_wide(const uint32_t *w, const rnnedge_v *v, uint32_t columns,
                                  int32_t *acc, uint32_t start, const int32_t *end) {
    for (; acc != end; acc += 4, w += 4) {
        sums s = start_wide(start);
        for (uint32_t i = 0; i < columns; i++) {
            add_wide(&s, *w++, (uint32_t)v[i]);
        }
        store_wide(acc, w, &s);
    }
    return w;
}

#endif
#endif
