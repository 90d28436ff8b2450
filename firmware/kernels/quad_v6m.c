/* quad_v6m.c -- sums of quad.h for Thumb-1 with REV16: Cortex-M0, M0+, M23. */
#include "../src/kernel.h"

#if RNNEDGE_KERNEL == RNNEDGE_KERNEL_QUAD && defined(RNNEDGE_QUAD_V6M)

#define UNUSED __attribute__((unused))

// The loops in rounds of ROUND pairs of columns; each group enters where the right number of pairs
// is left, an odd column goes first. What they know, in this order on the stack:
struct plan {
    const rnnedge_v *v;
    uint32_t start;
    uint32_t bytes; // of a group's words
    int32_t *acc;
    const int32_t *end;
    uint32_t skip; // pairs not to run in the first round; all of them if there are none
    uint32_t odd;
};

#ifdef __OPTIMIZE_SIZE__
#define ROUND 1
#else
#define ROUND 4
#endif
#define STRING_(text) #text
#define STRING(text) STRING_(text)
#define REPEAT(times, lines) ".rept " STRING(times) "\n" lines ".endr\n"

static inline struct plan plan_of(const rnnedge_v *v, uint32_t columns, int32_t *acc,
                                  uint32_t start, const int32_t *end) {
    const uint32_t pairs = columns / 2;
    const struct plan plan = {
        .v = v,
        .start = start,
        .bytes = 4 * columns,
        .acc = acc,
        .end = end,
        .skip = pairs == 0 ? ROUND : (0 - pairs) % ROUND,
        .odd = columns & 1,
    };
    return plan;
}

// clang-format off

// Reads: r0 w, r1 the plan. r7: where the pairs start; lr: where a group starts.
#define ENTER(pair)                                                                          \
    ".syntax unified\n"                                                                      \
    "push   {r4-r7, lr}\n"                                                                   \
    "mov    r4, r8\n"                                                                        \
    "mov    r5, r9\n"                                                                        \
    "mov    r6, r10\n"                                                                       \
    "mov    r7, r11\n"                                                                       \
    "push   {r1, r4-r7}\n"                                                                   \
    "ldr    r2, [r1, #20]\n"                                                                 \
    "movs   r3, #" STRING(pair) "\n"                                                         \
    "muls   r2, r3, r2\n"                                                                    \
    "adr    r7, 3f\n"                                                                        \
    "adds   r7, r7, r2\n"                                                                    \
    "mov    lr, r7\n"                                                                        \
    "ldr    r2, [r1, #24]\n"                                                                 \
    "cmp    r2, #0\n"                                                                        \
    "beq    5f\n"                                                                            \
    "adr    r2, 2f\n"                                                                        \
    "mov    lr, r2\n"                                                                        \
    "5:\n"                                                                                   \
    "b      1f\n"

// The sums of four rows in r3 to r6 lack their biases.
#define STORE                                                                                \
    "ldm    r0!, {r1, r2}\n"                                                                 \
    "adds   r3, r3, r1\n"                                                                    \
    "adds   r4, r4, r2\n"                                                                    \
    "ldm    r0!, {r1, r2}\n"                                                                 \
    "adds   r5, r5, r1\n"                                                                    \
    "adds   r6, r6, r2\n"                                                                    \
    "ldr    r1, [sp]\n"                                                                      \
    "ldr    r2, [r1, #12]\n"                                                                 \
    "stm    r2!, {r3-r6}\n"                                                                  \
    "str    r2, [r1, #12]\n"                                                                 \
    "ldr    r3, [r1, #16]\n"                                                                 \
    "cmp    r2, r3\n"                                                                        \
    "beq    4f\n"

#define EXIT                                                                                 \
    "mov    pc, lr\n"                                                                        \
    "4:\n"                                                                                   \
    "pop    {r1, r4-r7}\n"                                                                   \
    "mov    r8, r4\n"                                                                        \
    "mov    r9, r5\n"                                                                        \
    "mov    r10, r6\n"                                                                       \
    "mov    r11, r7\n"                                                                       \
    "pop    {r4-r7, pc}\n"

// r8, r9, r10: sums of W, W >> 16 and REV16 of W. 16 bytes.
#define NARROW(w, v)                                                                         \
    "lsrs   r2, " w ", #16\n"                                                                \
    "muls   r2, " v ", r2\n"                                                                 \
    "add    r9, r2\n"                                                                        \
    "rev16  r2, " w "\n"                                                                     \
    "muls   r2, " v ", r2\n"                                                                 \
    "add    r10, r2\n"                                                                       \
    "muls   " w ", " v ", " w "\n"                                                           \
    "add    r8, " w "\n"

__attribute__((naked, noinline)) static const uint32_t *narrow(const uint32_t *w UNUSED,
                                                               struct plan *plan UNUSED) {
    __asm__ volatile(ENTER(36)
        ".balign 4\n"
        "2:\n"
        "ldm    r0!, {r3}\n"
        "ldm    r1!, {r5}\n"
        NARROW("r3", "r5")
        "mov    pc, r7\n"
        ".balign 4\n"
        "3:\n"
        REPEAT(ROUND,
            "ldm    r0!, {r3, r4}\n"
            "ldm    r1!, {r5, r6}\n"
            NARROW("r3", "r5") NARROW("r4", "r6"))
        "cmp    r0, r11\n"
        "bne    3b\n"
        "mov    r4, r8\n" // a
        "mov    r6, r9\n" // b
        "mov    r2, r10\n"
        "lsls   r5, r4, #8\n"
        "subs   r2, r2, r5\n" // c times 1 - 2^16
        "lsls   r5, r2, #16\n" // 2^16 c
        "adds   r2, r2, r5\n" // c
        "lsls   r3, r6, #16\n"
        "subs   r4, r4, r3\n" // s0 + 2^8 s1
        "lsls   r3, r4, #8\n"
        "subs   r3, r3, r5\n"
        "asrs   r3, r3, #8\n" // s0
        "subs   r4, r4, r3\n"
        "asrs   r4, r4, #8\n" // s1
        "subs   r2, r2, r4\n" // 2^16 s3
        "lsls   r5, r6, #8\n"
        "subs   r5, r5, r2\n"
        "asrs   r5, r5, #8\n" // s2
        "subs   r6, r6, r5\n"
        "asrs   r6, r6, #8\n" // s3
        STORE
        "1:\n"
        "ldr    r2, [sp]\n"
        "ldm    r2!, {r1, r3, r4}\n"
        "adds   r4, r4, r0\n"
        "mov    r11, r4\n"
        "mov    r8, r3\n"
        "mov    r10, r3\n"
        "lsls   r4, r3, #16\n"
        "subs   r3, r3, r4\n"
        "mov    r9, r3\n"
        EXIT);
}

const uint32_t *rnnedge_quad_narrow(const uint32_t *w, const rnnedge_v *v, uint32_t columns,
                                    int32_t *acc, uint32_t start, const int32_t *end) {
    struct plan plan = plan_of(v, columns, acc, start, end);
    return narrow(w, &plan);
}

// r8 to r11: sums of W, W >> 8, W >> 16 and W >> 24. 22 bytes.
#define WIDE(w, v)                                                                           \
    "lsrs   r2, " w ", #8\n"                                                                 \
    "muls   r2, " v ", r2\n"                                                                 \
    "add    r9, r2\n"                                                                        \
    "lsrs   r2, " w ", #16\n"                                                                \
    "muls   r2, " v ", r2\n"                                                                 \
    "add    r10, r2\n"                                                                       \
    "lsrs   r2, " w ", #24\n"                                                                \
    "muls   r2, " v ", r2\n"                                                                 \
    "add    r11, r2\n"                                                                       \
    "muls   " w ", " v ", " w "\n"                                                           \
    "add    r8, " w "\n"

__attribute__((naked, noinline)) static const uint32_t *wide(const uint32_t *w UNUSED,
                                                             struct plan *plan UNUSED) {
    __asm__ volatile(ENTER(48)
        ".balign 4\n"
        "2:\n"
        "ldm    r0!, {r3}\n"
        "ldm    r1!, {r5}\n"
        WIDE("r3", "r5")
        "mov    pc, r7\n"
        ".balign 4\n"
        "3:\n"
        REPEAT(ROUND,
            "ldm    r0!, {r3, r4}\n"
            "ldm    r1!, {r5, r6}\n"
            WIDE("r3", "r5") WIDE("r4", "r6"))
        "cmp    r0, r12\n"
        "bne    3b\n"
        "mov    r3, r8\n"
        "mov    r4, r9\n"
        "mov    r5, r10\n"
        "mov    r6, r11\n"
        "lsls   r2, r4, #8\n"
        "subs   r3, r3, r2\n"
        "lsls   r2, r5, #8\n"
        "subs   r4, r4, r2\n"
        "lsls   r2, r6, #8\n"
        "subs   r5, r5, r2\n"
        STORE
        "1:\n"
        "ldr    r2, [sp]\n"
        "ldm    r2!, {r1, r3, r4}\n"
        "adds   r4, r4, r0\n"
        "mov    r12, r4\n"
        "mov    r8, r3\n"
        "lsls   r4, r3, #24\n"
        "subs   r4, r3, r4\n"
        "mov    r9, r4\n"
        "lsls   r4, r3, #16\n"
        "subs   r4, r3, r4\n"
        "mov    r10, r4\n"
        "lsls   r4, r3, #8\n"
        "subs   r4, r3, r4\n"
        "mov    r11, r4\n"
        EXIT);
}

const uint32_t *rnnedge_quad_wide(const uint32_t *w, const rnnedge_v *v, uint32_t columns,
                                  int32_t *acc, uint32_t start, const int32_t *end) {
    struct plan plan = plan_of(v, columns, acc, start, end);
    return wide(w, &plan);
}

#endif
