/* arm_mve.h -- Helium (Cortex-M55): 16 products of int8 an instruction, steps of its own. */
#ifndef RNNEDGE_ARM_MVE_H
#define RNNEDGE_ARM_MVE_H

#include "../include/rnnedge.h"

typedef int8_t rnnedge_v;
#define RNNEDGE_PAD 16

// arm_mve_steps.c has the steps of all cells: activations and updates of eight units at once.
#define RNNEDGE_OWN_EXPAND
#define RNNEDGE_OWN_EXPAND_HX
#define RNNEDGE_OWN_GRU
#define RNNEDGE_OWN_LSTM
#define RNNEDGE_OWN_RNN

#define RNNEDGE_MVE_CHUNK 16 // columns that an instruction multiplies
#define RNNEDGE_MVE_KEPT 64  // columns of h that stay in registers

// A product of the GRU gates z, r, n over h and x, n's sums apart. Else the part says nothing here.
enum { RNNEDGE_PART_SPLIT = 4 };

// What a step has prepared for its products. rnnedge_mve_sums knows the places of the fields.
typedef struct {
    rnnedge_cursor at;    // first: a product gets a pointer to it
    int32_t *h;           // sums over h, out
    uint32_t groups;      // of 8 rows
    int32_t *x;           // sums over x, out
    uint32_t two_rows;    // bytes of two rows of the first chunk of x
    const int8_t *v;      // h or r * h, narrowed
    const int8_t *x_low;  // x, the first chunk in the low lanes, zeros above
    const int8_t *x_high; // the first chunk in the high lanes, zeros below
    uint32_t code;        // bytes of code that multiply the chunks of h, minus the Thumb bit
    uint32_t plain;       // 1: rnnedge_mve_sums does everything
} rnnedge_mve_plan;

// Sums over the first chunk of x and the kept columns of h, of p->groups groups of rows.
void rnnedge_mve_sums(rnnedge_mve_plan *p);

static inline uint32_t rnnedge_mve_min(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

static inline uint32_t rnnedge_mve_up(uint32_t n, uint32_t multiple) {
    return (n + multiple - 1) / multiple * multiple;
}

#endif /* RNNEDGE_ARM_MVE_H */
