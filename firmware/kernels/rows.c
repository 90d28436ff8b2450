/* rows.c -- the portable product: one row after another, biases in an array of their own. */
#include "../src/kernel.h"

#if RNNEDGE_KERNEL == RNNEDGE_KERNEL_ROWS

void rnnedge_product_wide(rnnedge_cursor *at, const rnnedge_cell *cell, const void *v, uint8_t part,
                          uint8_t gates, uint16_t units, int32_t acc[]) {
    const uint16_t stride = rnnedge_stride(units);
    const uint16_t start = part == RNNEDGE_PART_H || part == RNNEDGE_PART_HX ? 0 : cell->units;
    uint16_t columns = part == RNNEDGE_PART_X ? 0 : cell->units;
    columns = (uint16_t)(columns + (part == RNNEDGE_PART_H ? 0 : cell->inputs));
    const int16_t *from = (const int16_t *)v + start;
    const int8_t *w = (const int8_t *)at->weights;
    for (uint8_t gate = 0; gate < gates; gate++) {
        for (uint16_t unit = 0; unit < units; unit++) {
            int32_t sum = *at->bias++; // every partial sum is below 2^31 by the converter's proof
            for (uint16_t i = 0; i < columns; i++) {
                sum += (int32_t)w[i] * from[i];
            }
            w += columns;
            acc[gate * stride + unit] = sum;
        }
    }
    at->weights = w;
}

void rnnedge_product_narrow(rnnedge_cursor *at, const rnnedge_cell *cell, const void *v,
                            uint8_t part, uint8_t gates, uint16_t units, int32_t acc[]) {
    rnnedge_product_wide(at, cell, v, part, gates, units, acc);
}

#endif
