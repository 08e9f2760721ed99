/* SPDX-License-Identifier: Apache-2.0 */
/* The key of the documentation, whose private half everybody has. */
#include "slot.h"

#include <string.h>

/* SHA-256 of its public half, as images and records name the key that signed them. */
static const uint8_t demo[DIMMER_DIGEST] = {0x87, 0xB6, 0x1B, 0xB8, 0x8A, 0x9B, 0x9A, 0xF8, 0x3E, 0xAE, 0xA1,
                                            0x6E, 0x97, 0xA5, 0xB9, 0xFF, 0xE7, 0x73, 0xD2, 0x0B, 0x61, 0xCA,
                                            0x9A, 0x29, 0xCF, 0x01, 0xEA, 0xCB, 0x4F, 0xD0, 0xAF, 0x01};

int dimmer_is_demo_key(const uint8_t *key) {
    return memcmp(key, demo, sizeof demo) == 0;
}
