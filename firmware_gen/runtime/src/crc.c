/* SPDX-License-Identifier: Apache-2.0 */
#include "dimmer.h"

#include "dimmer_assert.h"

/* Sixteen words instead of 256: the whole blob is read once, at start-up, and flash is dear. */
static const uint32_t nibble_table[16] = {
    0x00000000u, 0x1DB71064u, 0x3B6E20C8u, 0x26D930ACu, 0x76DC4190u, 0x6B6B51F4u, 0x4DB26158u, 0x5005713Cu,
    0xEDB88320u, 0xF00F9344u, 0xD6D6A3E8u, 0xCB61B38Cu, 0x9B64C2B0u, 0x86D3D2D4u, 0xA00AE278u, 0xBDBDF21Cu,
};

uint32_t dimmer_crc32(uint32_t crc, const void *data, size_t size) {
    const uint8_t *byte = (const uint8_t *)data;
    const uint8_t *end = byte + size;

    DIMMER_ASSERT(data != NULL || size == 0u);
    crc = ~crc;
    while (byte != end) {
        crc ^= *byte++;
        crc = (crc >> 4) ^ nibble_table[crc & 15u];
        crc = (crc >> 4) ^ nibble_table[crc & 15u];
    }
    return ~crc;
}
