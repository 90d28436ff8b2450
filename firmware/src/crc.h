/* crc.h -- CRC-32 (IEEE 802.3, reflected, as in zlib), bit by bit: small, not fast. */
#ifndef RNNEDGE_CRC_H
#define RNNEDGE_CRC_H

#include <stdint.h>

#define RNNEDGE_CRC_START UINT32_C(0xFFFFFFFF) // the CRC is the complement of what comes out

static inline uint32_t rnnedge_crc32(uint32_t crc, uint8_t byte) {
    crc ^= byte;
    for (uint8_t bit = 0; bit < 8; bit++) {
        crc = (crc >> 1) ^ (UINT32_C(0xEDB88320) & (0 - (crc & 1)));
    }
    return crc;
}

#endif /* RNNEDGE_CRC_H */
