/* arm_saturation.h -- SSAT, for the Arm cores that have it. */
#ifndef RNNEDGE_ARM_SATURATION_H
#define RNNEDGE_ARM_SATURATION_H

#include <stdint.h>

#define RNNEDGE_OWN_SATURATION
static inline int32_t rnnedge_sat16(int32_t v) {
    int32_t limited;
    __asm__("ssat %0, #16, %1" : "=r"(limited) : "r"(v));
    return limited;
}

static inline int32_t rnnedge_sat8(int32_t v) {
    int32_t limited;
    __asm__("ssat %0, #8, %1" : "=r"(limited) : "r"(v));
    return limited;
}

#endif /* RNNEDGE_ARM_SATURATION_H */
