/* crc.c -- CRC-32, bit by bit: small, not fast. */
#include "crc.h"

uint32_t rnnedge_crc32(uint32_t crc, uint8_t byte) {
    crc ^= byte;
    for (uint8_t bit = 0; bit < 8; bit++) {
        crc = (crc >> 1) ^ (UINT32_C(0xEDB88320) & (0 - (crc & 1)));
    }
    return crc;
}
