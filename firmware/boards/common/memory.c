/* memory.c -- what a compiler may call where there is no C library. */
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);

// After each byte: else the compiler makes the loop a call of the function that it is in.
#define NO_IDIOM __asm__ volatile("" : : : "memory")

void *memcpy(void *restrict to, const void *restrict from, size_t n) {
    for (size_t i = 0; i < n; i++) {
        ((uint8_t *)to)[i] = ((const uint8_t *)from)[i];
        NO_IDIOM;
    }
    return to;
}

void *memmove(void *to, const void *from, size_t n) {
    if ((uintptr_t)to <= (uintptr_t)from) {
        return memcpy(to, from, n);
    }
    while (n-- > 0) {
        ((uint8_t *)to)[n] = ((const uint8_t *)from)[n];
        NO_IDIOM;
    }
    return to;
}

void *memset(void *to, int value, size_t n) {
    for (size_t i = 0; i < n; i++) {
        ((uint8_t *)to)[i] = (uint8_t)value;
        NO_IDIOM;
    }
    return to;
}
