/* SPDX-License-Identifier: Apache-2.0 */
/* The keys that a device trusts, and a verifier of their ed25519 signatures for dimmer_store_t and settings.
 * verifier.c does no arithmetic of its own: it calls Monocypher's crypto_ed25519_check, whose two source
 * files (monocypher.c, monocypher-ed25519.c) you add to your project. */
#ifndef DIMMER_VERIFIER_H
#define DIMMER_VERIFIER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* As `dimmer slot --keys` writes it. */
typedef struct {
    uint8_t hash[32];       /* SHA-256 of the public key as SubjectPublicKeyInfo: an image names it */
    uint8_t public_key[32]; /* ed25519 */
} verifier_key_t;

typedef struct {
    const verifier_key_t *keys;
    uint32_t count; /* of keys: more than one while the old one is being replaced */
} verifier_keys_t;

/* A dimmer_verify_t; `user` is a verifier_keys_t. Returns 0 where the signature is right, another number
 * where it is not, where the key is not among `user`'s, or where `size` is not an ed25519 signature's 64. */
int verifier_check(void *user, const uint8_t *key, const uint8_t *digest, const uint8_t *signature,
                   uint32_t size);

#ifdef __cplusplus
}
#endif

#endif
