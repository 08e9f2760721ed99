/* SPDX-License-Identifier: Apache-2.0 */
#include "verifier.h"

#include <string.h>

/* Monocypher 3 and 4 agree on it: 0 where `signature` is that of the message. */
int crypto_ed25519_check(const uint8_t signature[64], const uint8_t public_key[32], const uint8_t *message,
                         size_t message_size);

int verifier_check(void *user, const uint8_t *key, const uint8_t *digest, const uint8_t *signature,
                   uint32_t size) {
    const verifier_keys_t *known = user;
    uint32_t i;

    if (size != 64u) {
        return -1;
    }
    for (i = 0u; i < known->count; ++i) {
        if (memcmp(known->keys[i].hash, key, 32u) == 0) {
            return crypto_ed25519_check(signature, known->keys[i].public_key, digest, 32u);
        }
    }
    return -1;
}
