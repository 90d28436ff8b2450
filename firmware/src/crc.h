/* crc.h -- CRC-32 (IEEE 802.3, reflected, as in zlib). */
#ifndef RNNEDGE_CRC_H
#define RNNEDGE_CRC_H

#include <stdint.h>

#define RNNEDGE_CRC_START UINT32_C(0xFFFFFFFF) // the CRC is the complement of what comes out

// Take one more byte.
uint32_t rnnedge_crc32(uint32_t crc, uint8_t byte);

// Take n more values, little-endian; in selftest.c.
uint32_t rnnedge_crc_values(uint32_t crc, const int16_t values[], uint16_t n);

#endif /* RNNEDGE_CRC_H */
