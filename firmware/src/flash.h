/* flash.h -- reading constants of a model: from program memory on AVR, elsewhere as they are. */
#ifndef RNNEDGE_FLASH_H
#define RNNEDGE_FLASH_H

#include "../include/rnnedge.h"

#if defined(__AVR__)

static inline uint8_t rnnedge_flash8(const void *at) {
    uint8_t value;
    __asm__("lpm %0, Z" : "=r"(value) : "z"(at));
    return value;
}

static inline uint16_t rnnedge_flash16(const void *at) {
    uint16_t value;
    __asm__("lpm %A0, Z+\n\tlpm %B0, Z" : "=&r"(value), "+z"(at));
    return value;
}

static inline uint32_t rnnedge_flash32(const void *at) {
    uint32_t value;
    __asm__("lpm %A0, Z+\n\tlpm %B0, Z+\n\tlpm %C0, Z+\n\tlpm %D0, Z" : "=&r"(value), "+z"(at));
    return value;
}

static inline void rnnedge_flash_copy(void *to, const void *at, uint8_t bytes) {
    uint8_t *byte = (uint8_t *)to;
    const uint8_t *from = (const uint8_t *)at;
    while (bytes-- > 0) {
        *byte++ = rnnedge_flash8(from++);
    }
}

// A struct of `type` called `name`, at hand by pointer.
#define RNNEDGE_FETCH(type, name, at)                                                              \
    type name##_copy;                                                                              \
    rnnedge_flash_copy(&name##_copy, at, sizeof(type));                                            \
    const type *const name = &name##_copy

#define RNNEDGE_GET8(at) rnnedge_flash8(at)
#define RNNEDGE_GET16(at) rnnedge_flash16(at)
#define RNNEDGE_GET32(at) rnnedge_flash32(at)
#define RNNEDGE_GETP(type, at) ((type)rnnedge_flash16(at))

#else

#define RNNEDGE_FETCH(type, name, at) const type *const name = (at)
#define RNNEDGE_GET8(at) (*(at))
#define RNNEDGE_GET16(at) (*(at))
#define RNNEDGE_GET32(at) (*(at))
#define RNNEDGE_GETP(type, at) (*(at))

#endif

#endif /* RNNEDGE_FLASH_H */
