/* SPDX-License-Identifier: Apache-2.0 */
/* verifier.c with a stand-in for Monocypher: which key it is asked about, and that its word is passed on. */
#include "keys.h"

#include <stdio.h>
#include <string.h>

int crypto_ed25519_check(const uint8_t signature[64], const uint8_t public_key[32], const uint8_t *message,
                         size_t message_size);
int main(void);

static uint32_t asked;

/* Right where the signature's first byte is that of the key, and its second that of the message. */
int crypto_ed25519_check(const uint8_t signature[64], const uint8_t public_key[32], const uint8_t *message,
                         size_t message_size) {
    ++asked;
    return message_size == 32u && signature[0] == public_key[0] && signature[1] == message[0] ? 0 : -1;
}

static int check(const verifier_keys_t *keys, const uint8_t *hash, const uint8_t *signature, uint32_t size) {
    static const uint8_t digest[32] = {7};

    return verifier_check((void *)(uintptr_t)keys, hash, digest, signature, size);
}

int main(void) {
    const verifier_key_t *own = &trusted_keys[0];
    verifier_key_t two[2];
    const verifier_keys_t one_key = {trusted_keys, sizeof trusted_keys / sizeof trusted_keys[0]};
    const verifier_keys_t no_key = {trusted_keys, 0u};
    const verifier_keys_t two_keys = {two, 2u};
    const uint8_t right[64] = {own->public_key[0], 7};
    const uint8_t wrong[64] = {own->public_key[0], 8};
    uint8_t foreign[32];
    uint32_t bit;

    if (check(&one_key, own->hash, right, 64u) != 0 || check(&one_key, own->hash, wrong, 64u) == 0 ||
        asked != 2u) {
        return 1;
    }
    for (bit = 0; bit < 256u; ++bit) {
        memcpy(foreign, own->hash, sizeof foreign);
        foreign[bit / 8u] = (uint8_t)(foreign[bit / 8u] ^ (1u << bit % 8u));
        if (check(&one_key, foreign, right, 64u) == 0) {
            return 2;
        }
    }
    if (check(&no_key, own->hash, right, 64u) == 0 || check(&one_key, own->hash, right, 63u) == 0 ||
        check(&one_key, own->hash, right, 0u) == 0 || asked != 2u) {
        return 3;
    }
    memset(two, 0, sizeof two);
    two[1] = *own;
    if (check(&two_keys, own->hash, right, 64u) != 0) {
        return 4;
    }
    puts("the verifier asks about the key that is named");
    return 0;
}
