/* arm_dsp.c -- products for cores with the DSP extension: Cortex-M4, M7, M33. */
#include "../src/kernel.h"

#if RNNEDGE_KERNEL == RNNEDGE_KERNEL_DSP

// Start and columns of a part of v.
static inline const rnnedge_v *part_of(const rnnedge_cell *cell, const void *v, uint8_t part,
                                       uint32_t *columns) {
    const uint32_t h = rnnedge_padded(cell->units), x = rnnedge_padded(cell->inputs);
    const rnnedge_v *from = (const rnnedge_v *)v;
    *columns = (part == RNNEDGE_PART_X ? 0 : h) + (part == RNNEDGE_PART_H ? 0 : x);
    return part == RNNEDGE_PART_H || part == RNNEDGE_PART_HX ? from : from + h;
}

#define UNUSED __attribute__((unused))

// clang-format off
__attribute__((naked, noinline)) static void
groups(rnnedge_cursor *at UNUSED, const rnnedge_v *v UNUSED, uint32_t columns UNUSED, int32_t *acc UNUSED,
       const int32_t *acc_end UNUSED) {
    __asm__ volatile(
        ".macro mac2 wa, wb, v\n"
        "  smlad  r2, \\wa, \\v, r2\n"
        "  sxtb16 \\wa, \\wa\n"
        "  smlad  r4, \\wb, \\v, r4\n"
        "  sxtb16 \\wb, \\wb\n"
        "  smlad  r3, \\wa, \\v, r3\n"
        "  smlad  r5, \\wb, \\v, r5\n"
        ".endm\n"
#ifdef __OPTIMIZE_SIZE__
        "  ldr    r12, [sp]\n"
        "  push   {r0, r4-r11, lr}\n"
        "  push   {r1, r12}\n"
        "  add    lr, r1, r2, lsl #1\n"
        "  ldr    r1, [r0]\n"
        "  mov    r12, r3\n"
        "1:\n"
        "  ldm    r1!, {r2-r5}\n"
        "  ldr    r0, [sp]\n"
        "2:\n"
        "  ldm    r0!, {r6, r7}\n"
        "  ldm    r1!, {r8-r11}\n"
        "  mac2   r8, r9, r6\n"
        "  mac2   r10, r11, r7\n"
        "  cmp    r0, lr\n"
        "  bne    2b\n"
        "  ldr    r0, [sp, #4]\n"
        "  subs   r2, r2, r3\n"
        "  subs   r4, r4, r5\n"
        "  asrs   r2, r2, #8\n"
        "  asrs   r4, r4, #8\n"
        "  stm    r12!, {r2-r5}\n"
        "  cmp    r12, r0\n"
        "  bne    1b\n"
        "  pop    {r2, r3, r4}\n"
        "  str    r1, [r4]\n"
        "  pop    {r4-r11, pc}\n"
#else
        "  ldr    r12, [sp]\n"
        "  push   {r0, r4-r11, lr}\n"
        "  add    r6, r1, r2, lsl #1\n"
        "  mov    r7, r3\n"
        "  mov    r8, r12\n"
        "  lsrs   r3, r2, #3\n"
        "  cmp    r3, #11\n" // carry: more than one round
        "  ittt   cs\n"
        "  movcs  r9, #10\n"
        "  udivcs r10, r3, r9\n"
        "  mlscs  r3, r10, r9, r3\n"
        "  mov    r9, #108\n"
        "  adr    r5, 5f\n"
        "  orr    r5, r5, #1\n"
        "  mls    r5, r3, r9, r5\n"
        "  adr    r4, 3f\n"
        "  orr    r4, r4, #1\n"
        "  tst    r2, #4\n"
        "  it     eq\n"
        "  moveq  r4, r5\n"
        "  push   {r1, r4-r8}\n"
        "  ldr    r1, [r0]\n"
        "1:\n"
        "  ldm    r1!, {r2-r5}\n"
        "  ldm    sp, {r0, pc}\n"
        ".balign 4\n"
        "3:\n"
        "  ldm    r0!, {r6, r7}\n"
        "  ldm    r1!, {r10-r12, lr}\n"
        "  mac2   r10, r11, r6\n"
        "  mac2   r12, lr, r7\n"
        "  ldr    pc, [sp, #8]\n"
        ".balign 4\n"
        "4:\n"
        ".rept 10\n"
        "  ldm.w  r0!, {r6-r9}\n"
        "  ldm.w  r1!, {r10-r12, lr}\n"
        "  mac2   r10, r11, r6\n"
        "  mac2   r12, lr, r7\n"
        "  ldm.w  r1!, {r10-r12, lr}\n"
        "  mac2   r10, r11, r8\n"
        "  mac2   r12, lr, r9\n"
        ".endr\n"
        ".balign 4\n"
        "5:\n"
        "  bcs    7f\n"
        "6:\n"
        "  sub    r2, r2, r3\n"
        "  sub    r4, r4, r5\n"
        "  asr    r2, r2, #8\n"
        "  asr    r4, r4, #8\n"
        "  ldrd   r6, r7, [sp, #16]\n"
        "  stm    r6!, {r2-r5}\n"
        "  str    r6, [sp, #16]\n"
        "  teq    r6, r7\n"
        "  bne    1b\n"
        "  add    sp, sp, #24\n"
        "  pop    {r0}\n"
        "  str    r1, [r0]\n"
        "  pop    {r4-r11, pc}\n"
        "7:\n"
        "  ldr    r6, [sp, #12]\n"
        "  teq    r0, r6\n"
        "  bne    4b\n"
        "  b      6b\n"
#endif
    );
}
// clang-format on

void rnnedge_product_narrow(rnnedge_cursor *at, const rnnedge_cell *cell, const void *v,
                            uint8_t part, uint8_t gates, uint16_t units, int32_t acc[]) {
    uint32_t columns;
    const rnnedge_v *from = part_of(cell, v, part, &columns);
    groups(at, from, columns, acc, acc + gates * rnnedge_stride(units));
}

void rnnedge_product_wide(rnnedge_cursor *at, const rnnedge_cell *cell, const void *v, uint8_t part,
                          uint8_t gates, uint16_t units, int32_t acc[]) {
    uint32_t columns;
    const rnnedge_v *from = part_of(cell, v, part, &columns);
    const uint32_t *w = (const uint32_t *)at->weights;
    const int32_t *const acc_end = acc + gates * rnnedge_stride(units);
    while (acc != acc_end) {
        const uint32_t *two = (const uint32_t *)(const void *)from, *const end = two + columns / 2;
        int32_t sum[4] = {(int32_t)w[0], (int32_t)w[1], (int32_t)w[2], (int32_t)w[3]};
        for (w += 4; two != end; two += 2, w += 4) {
            for (uint8_t row = 0; row < 4; row++) {
                uint32_t high;
                __asm__("sxtb16 %0, %1, ror #8" : "=r"(high) : "r"(w[row]));
                sum[row] = __smlad(__sxtb16((int32_t)w[row]), (int32_t)two[0], sum[row]);
                sum[row] = __smlad((int32_t)high, (int32_t)two[1], sum[row]);
            }
        }
        for (uint8_t row = 0; row < 4; row++) {
            *acc++ = sum[row];
        }
    }
    at->weights = w;
}

#endif
