/* softmax.c -- probabilities of scores in integers; rnnedge/simulator/dense.py is its twin. */
#include "flash.h"

// round(2^15 * 2^(-k / 16))
static const uint16_t powers[17] RNNEDGE_FLASH = {
    32768, 31379, 30048, 28774, 27554, 26386, 25268, 24196, 23170,
    22188, 21247, 20347, 19484, 18658, 17867, 17109, 16384,
};

// 2^15 * e^-d, d in units of 2^-fraction_bits.
static uint32_t power(uint32_t d, uint8_t fraction_bits) {
    const uint64_t wide = ((uint64_t)d * 94548u) >> fraction_bits; // log2(e) * 2^16
    const uint32_t e = wide > 0x1FFFFFu ? 0x1FFFFFu : (uint32_t)wide;
    const uint8_t k = (uint8_t)((e >> 12) & 15);
    const uint32_t t = RNNEDGE_GET16(&powers[k]), next = RNNEDGE_GET16(&powers[k + 1]);
    return ((t * 4096u - (t - next) * (e & 4095u) + 2048u) >> 12) >> (e >> 16);
}

static int32_t largest(const int32_t scores[], uint16_t n) {
    int32_t best = scores[0];
    for (uint16_t i = 1; i < n; i++) {
        best = scores[i] > best ? scores[i] : best;
    }
    return best;
}

// Sum of all powers, below 2^15 * 2^16.
static uint32_t total(const int32_t scores[], uint16_t n, uint8_t fraction_bits, int32_t best) {
    uint32_t sum = 0;
    for (uint16_t i = 0; i < n; i++) {
        sum += power((uint32_t)best - (uint32_t)scores[i], fraction_bits);
    }
    return sum;
}

// u of sum; u <= 2^15, sum < 2^31.
static uint16_t share(uint32_t u, uint32_t sum) {
    return (uint16_t)((u * 32768u + (sum >> 1)) / sum);
}

void rnnedge_softmax(const int32_t scores[], uint16_t n, uint8_t fraction_bits,
                     uint16_t probability[]) {
    const int32_t best = largest(scores, n);
    const uint32_t sum = total(scores, n, fraction_bits, best);
    for (uint16_t i = 0; i < n; i++) {
        probability[i] = share(power((uint32_t)best - (uint32_t)scores[i], fraction_bits), sum);
    }
}

uint16_t rnnedge_probability(const int32_t scores[], uint16_t n, uint8_t fraction_bits,
                             uint16_t index) {
    const int32_t best = largest(scores, n);
    const uint32_t u = power((uint32_t)best - (uint32_t)scores[index], fraction_bits);
    return share(u, total(scores, n, fraction_bits, best));
}
