/* quad_v7m.c -- sums of quad.h for Thumb-2: Cortex-M3, and others without the DSP extension. */
#include "../src/kernel.h"

#if RNNEDGE_KERNEL == RNNEDGE_KERNEL_QUAD && defined(RNNEDGE_QUAD_V7M)

#define UNUSED __attribute__((unused))

// On the stack: v, start, bytes of the words, where to enter the single columns and the fours of
// columns, acc, end. Registers of a group: r0 the words, r1 v, lr the end of the words.
//
// Of n columns n % 4 go one by one, the rest four at a time, ROUND fours between two jumps: each
// group enters both where the right number is left.
#ifdef __OPTIMIZE_SIZE__
#define ROUND 1
#else
#define ROUND 4
#endif
#define STRING_(text) #text
#define STRING(text) STRING_(text)
#define REPEAT(times, lines) ".rept " STRING(times) "\n" lines ".endr\n"

// clang-format off

// Reads: r0 w, r1 v, r2 columns, r3 acc, on the stack start, end.
#define ENTER(one, four)                                                                     \
    "push   {r4-r11, lr}\n"                                                                  \
    "ldrd   r4, r8, [sp, #36]\n"                                                             \
    "and    r5, r2, #3\n"                                                                    \
    "rsb    r5, r5, #3\n"                                                                    \
    "mov    r9, #" STRING(one) "\n"                                                          \
    "adr    r6, 2f\n"                                                                        \
    "mla    r5, r5, r9, r6\n"                                                                \
    "lsrs   r6, r2, #2\n"                                                                    \
    "rsb    r6, r6, #0\n"                                                                    \
    "and    r6, r6, #" STRING(ROUND) " - 1\n"                                                \
    "it     eq\n"                                                                            \
    "moveq  r6, #" STRING(ROUND) "\n"                                                        \
    "mov    r9, #" STRING(four) "\n"                                                         \
    "adr    r10, 3f\n"                                                                       \
    "mla    r6, r6, r9, r10\n"                                                               \
    "mov    r7, r3\n"                                                                        \
    "lsls   r3, r2, #2\n"                                                                    \
    "mov    r2, r4\n"                                                                        \
    "push   {r1, r2, r3, r5, r6, r7, r8}\n"

// The four accumulators in r4 to r7 are done.
#define LEAVE                                                                                \
    "ldrd   r1, r2, [sp, #20]\n"                                                             \
    "stm    r1!, {r4-r7}\n"                                                                  \
    "str    r1, [sp, #20]\n"                                                                 \
    "cmp    r1, r2\n"                                                                        \
    "bne    1b\n"                                                                            \
    "add    sp, #28\n"                                                                       \
    "pop    {r4-r11, pc}\n"

// r2: sum of W; r3: of REV16 of W; r12: of the upper half of that. 16 bytes.
#define NARROW(w, v)                                                                         \
    "mla    r2, " w ", " v ", r2\n"                                                          \
    "rev16  " w ", " w "\n"                                                                  \
    "mla    r3, " w ", " v ", r3\n"                                                          \
    "lsrs   " w ", " w ", #16\n"                                                             \
    "mla    r12, " w ", " v ", r12\n"

// With REV16 rows 0 and 1 change places in the sums of quad.h, and rows 2 and 3: a is r3, b is r12,
// and c, of rows 0 and 2, is r2 - 2^8 r3 times 1 / (1 - 2^16).
__attribute__((naked, noinline)) const uint32_t *
rnnedge_quad_narrow(const uint32_t *w UNUSED, const rnnedge_v *v UNUSED, uint32_t columns UNUSED,
                    int32_t *acc UNUSED, uint32_t start UNUSED, const int32_t *end UNUSED) {
    __asm__ volatile(ENTER(24, 70)
        "1:\n"
        "ldm    sp, {r1, r2, r4, r5, r6}\n"
        "add    lr, r0, r4\n"
        "mov    r3, r2\n"
        "sub    r12, r2, r2, lsl #16\n"
        "mov    pc, r5\n"
        ".balign 4\n"
        "2:\n"
        REPEAT(3,
            "ldr    r4, [r0], #4\n"
            "ldr    r8, [r1], #4\n"
            NARROW("r4", "r8"))
        "mov    pc, r6\n"
        ".balign 4\n"
        "3:\n"
        REPEAT(ROUND,
            "ldm    r0!, {r4-r7}\n"
            "ldm    r1!, {r8-r11}\n"
            NARROW("r4", "r8") NARROW("r5", "r9") NARROW("r6", "r10") NARROW("r7", "r11"))
        "cmp    r0, lr\n"
        "bne    3b\n"
        "sub    r8, r2, r3, lsl #8\n"
        "add    r8, r8, r8, lsl #16\n" // c: s0 + 2^16 s2
        "sub    r9, r3, r12, lsl #16\n" // s1 + 2^8 s0
        "ldm    r0!, {r4-r7}\n"
        "sub    r10, r9, r8, lsl #8\n"
        "sbfx   r10, r10, #0, #24\n" // s1
        "add    r5, r5, r10\n"
        "sub    r9, r9, r10\n" // 2^8 s0
        "add    r4, r4, r9, asr #8\n"
        "sub    r8, r8, r9, asr #8\n" // 2^16 s2
        "sub    r10, r12, r8, lsr #8\n"
        "sbfx   r10, r10, #0, #24\n" // s3
        "add    r7, r7, r10\n"
        "sub    r12, r12, r10\n" // 2^8 s2
        "add    r6, r6, r12, asr #8\n"
        LEAVE);
}

// r2, r3, r10, r11: sums of W, W >> 8, W >> 16, W >> 24. 22 bytes.
#define WIDE(w, v)                                                                           \
    "mla    r2, " w ", " v ", r2\n"                                                          \
    "lsrs   " w ", " w ", #8\n"                                                              \
    "mla    r3, " w ", " v ", r3\n"                                                          \
    "lsrs   " w ", " w ", #8\n"                                                              \
    "mla    r10, " w ", " v ", r10\n"                                                        \
    "lsrs   " w ", " w ", #8\n"                                                              \
    "mla    r11, " w ", " v ", r11\n"

__attribute__((naked, noinline)) const uint32_t *
rnnedge_quad_wide(const uint32_t *w UNUSED, const rnnedge_v *v UNUSED, uint32_t columns UNUSED,
                  int32_t *acc UNUSED, uint32_t start UNUSED, const int32_t *end UNUSED) {
    __asm__ volatile(ENTER(30, 98)
        "1:\n"
        "ldm    sp, {r1, r2, r4, r5, r12}\n"
        "add    lr, r0, r4\n"
        "sub    r3, r2, r2, lsl #24\n"
        "sub    r10, r2, r2, lsl #16\n"
        "sub    r11, r2, r2, lsl #8\n"
        "mov    pc, r5\n"
        ".balign 4\n"
        "2:\n"
        REPEAT(3,
            "ldr    r4, [r0], #4\n"
            "ldr    r8, [r1], #4\n"
            WIDE("r4", "r8"))
        "mov    pc, r12\n"
        ".balign 4\n"
        "3:\n"
        REPEAT(ROUND,
            "ldm    r0!, {r4-r7}\n"
            "ldm    r1!, {r8, r9}\n"
            WIDE("r4", "r8") WIDE("r5", "r9")
            "ldm    r1!, {r8, r9}\n"
            WIDE("r6", "r8") WIDE("r7", "r9"))
        "cmp    r0, lr\n"
        "bne    3b\n"
        "ldm    r0!, {r4-r7}\n"
        "add    r4, r4, r2\n"
        "sub    r4, r4, r3, lsl #8\n"
        "add    r5, r5, r3\n"
        "sub    r5, r5, r10, lsl #8\n"
        "add    r6, r6, r10\n"
        "sub    r6, r6, r11, lsl #8\n"
        "add    r7, r7, r11\n"
        LEAVE);
}

#endif
