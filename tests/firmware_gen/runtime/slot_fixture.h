/* SPDX-License-Identifier: Apache-2.0 */
/* A simulated flash whose power fails, and images as a linker and a signer make them. */
#ifndef SLOT_FIXTURE_H
#define SLOT_FIXTURE_H

#include <setjmp.h>
#include <stdlib.h>

#include "dimmer_slot.h"
#include "engine_fixture.h"

#define BLOCK   512u
#define GRANULE 8u
#define SLOT    4096u
#define LOG     512u
#define HEADER  64u

static union {
    uint8_t bytes[2u * SLOT + 2u * LOG];
    uint64_t alignment;
} flash;
static jmp_buf power;
static uint32_t steps;     /* since the power came */
static uint32_t last_step; /* the one in which it fails; 0: never */
static uint32_t randomness;

static uint32_t drawn(uint32_t below) {
    randomness ^= randomness << 13;
    randomness ^= randomness >> 17;
    randomness ^= randomness << 5;
    return randomness % below;
}

static int fails_now(void) {
    return ++steps == last_step;
}

static int erase(void *user, const uint8_t *address, uint32_t size) {
    uint8_t *at = flash.bytes + (address - flash.bytes);
    uint32_t i;

    (void)user;
    CHECK((uint32_t)(at - flash.bytes) % BLOCK == 0u && size % BLOCK == 0u);
    for (; size != 0u; size -= BLOCK, at += BLOCK) {
        const int torn = fails_now();
        const uint32_t whole = torn ? drawn(BLOCK) : BLOCK;

        for (i = 0; i < BLOCK; ++i) {
            at[i] = (uint8_t)(i < whole ? 0xFFu : (at[i] | drawn(256u)));
        }
        if (torn) {
            longjmp(power, 1);
        }
    }
    return 0;
}

static int program(void *user, const uint8_t *address, const uint8_t *data, uint32_t size) {
    uint8_t *at = flash.bytes + (address - flash.bytes);
    uint32_t i;

    (void)user;
    CHECK((uint32_t)(at - flash.bytes) % GRANULE == 0u && size % GRANULE == 0u);
    for (; size != 0u; size -= GRANULE, at += GRANULE, data += GRANULE) {
        const int torn = fails_now();

        for (i = 0; i < GRANULE; ++i) {
            /* Bits fall, and where the power fails, only some of them. */
            at[i] = (uint8_t)(at[i] & (data[i] | (torn ? drawn(256u) : 0u)));
        }
        if (torn) {
            longjmp(power, 1);
        }
    }
    return 0;
}

/* The documentation's key, as images name it. */
static const uint8_t demo_key[32] = {0x87, 0xB6, 0x1B, 0xB8, 0x8A, 0x9B, 0x9A, 0xF8, 0x3E, 0xAE, 0xA1,
                                     0x6E, 0x97, 0xA5, 0xB9, 0xFF, 0xE7, 0x73, 0xD2, 0x0B, 0x61, 0xCA,
                                     0x9A, 0x29, 0xCF, 0x01, 0xEA, 0xCB, 0x4F, 0xD0, 0xAF, 0x01};

/* Stands for a signature's arithmetic; it knows a key of sevens, and the documentation's. */
static int verify(void *user, const uint8_t *key, const uint8_t *digest, const uint8_t *signature,
                  uint32_t size) {
    uint32_t i;

    (void)user;
    for (i = 0; i < size; ++i) {
        if ((key[i % 32u] != 7u && key[i % 32u] != demo_key[i % 32u]) ||
            signature[i] != (uint8_t)(digest[i % 32u] ^ 0x5Au)) {
            return 1;
        }
    }
    return 0;
}

static const dimmer_flash_t chip = {erase, program, NULL, GRANULE};
static const dimmer_store_t store = {
    &chip,  {flash.bytes, flash.bytes + SLOT},
    SLOT,   {flash.bytes + 2u * SLOT, flash.bytes + 2u * SLOT + LOG},
    LOG,    DIMMER_CORE | 3u,
    5u,     64u,
    verify, NULL,
    0u,
};

/* An image as a linker and a signer make it. */
typedef struct {
    uint8_t header[HEADER];
    dimmer_blob_t blob;
    fixture_t model;
    int8_t known[8];
    int8_t answers[16];
    uint8_t tlvs[256];
} image_t;

typedef union {
    image_t image;
    uint8_t bytes[SLOT];
} slot_image_t;

static void put(uint8_t *at, uint32_t value, uint32_t bytes) {
    for (; bytes != 0u; --bytes, value >>= 8) {
        *at++ = (uint8_t)value;
    }
}

static uint8_t *put_tlv(uint8_t *at, uint32_t type, const void *value, uint32_t size) {
    put(at, type, 2);
    put(at + 2, size, 2);
    memcpy(at + 4, value, size);
    return at + 4 + size;
}

#define PAYLOAD ((uint32_t)(offsetof(image_t, tlvs) - HEADER))

enum { RELEASE, DEVELOPMENT, FORGED /* by the documentation's key, and it does not say so */ };

/* Signs what lies in an image. */
static void sign(slot_image_t *made, uint32_t counter, int how) {
    image_t *image = &made->image;
    uint8_t number[4];
    uint8_t digest[32];
    uint8_t signature[64];
    uint8_t key[32];
    uint8_t *at = image->tlvs + 4;
    uint32_t guarded;
    uint32_t i;

    put(number, counter, 4);
    at = put_tlv(at, 0x50, number, 4);
    if (how == DEVELOPMENT) {
        at = put_tlv(at, 0xA2, number, 1);
    }
    guarded = (uint32_t)(at - image->tlvs);
    put(image->tlvs, 0x6908, 2);
    put(image->tlvs + 2, guarded, 2);
    put(image->header, 0x96F3B83Du, 4);
    put(image->header + 8, HEADER, 2);
    put(image->header + 10, guarded, 2);
    put(image->header + 12, PAYLOAD, 4);
    image->header[20] = 1;
    dimmer_sha256(made->bytes, HEADER + PAYLOAD + guarded, digest);
    memset(key, 7, sizeof key);
    if (how == FORGED) {
        memcpy(key, demo_key, sizeof key);
    }
    for (i = 0; i < sizeof signature; ++i) {
        signature[i] = (uint8_t)(digest[i % 32u] ^ 0x5Au);
    }
    put(at, 0x6907, 2);
    put(at + 2, 4u + 3u * 4u + 32u + 32u + 64u, 2);
    at = put_tlv(at + 4, 0x10, digest, 32);
    at = put_tlv(at, 0x01, key, 32);
    (void)put_tlv(at, 0x24, signature, 64);
}

/* Linked for a slot; `letter` is what its first step writes. */
static void link_image(slot_image_t *made, uint32_t slot, char letter) {
    image_t *image = &made->image;
    const uint8_t *const start = store.slots[slot];
    const uint8_t *const there = start + offsetof(image_t, model);
    fixture_t *f = &image->model;
    size_t i;

    memset(made, 0xFF, sizeof *made);
    make(f);
    f->records[0].letter = (uint8_t)letter;
    seal(f);
    for (i = 0; i + sizeof(void *) <= sizeof *f; i += sizeof(void *)) {
        uintptr_t word;

        memcpy(&word, (uint8_t *)f + i, sizeof word);
        if (word - (uintptr_t)f < sizeof *f) {
            word += (uintptr_t)there - (uintptr_t)f;
            memcpy((uint8_t *)f + i, &word, sizeof word);
        }
    }
    image->blob.magic = DIMMER_BLOB_MAGIC;
    image->blob.size = sizeof image->blob;
    image->blob.abi = DIMMER_ABI;
    image->blob.core = DIMMER_CORE | 1u;
    image->blob.arena_size = 64;
    image->blob.program = 5;
    image->blob.start = start;
    image->blob.model = (const dimmer_model_t *)(const void *)(there + offsetof(fixture_t, model));
    image->blob.known_input = (const int8_t *)(start + offsetof(image_t, known));
    image->blob.known_outputs = (const int8_t *)(start + offsetof(image_t, answers));
    memset(image->known, 0, sizeof image->known);
    memset(image->answers, 0, sizeof image->answers);
    memcpy(image->answers, "abcC", 4);
    memcpy(image->answers + 8, "aC", 2); /* nothing of what mode 0 left */
    image->answers[0] = image->answers[8] = (int8_t)letter;
    memset(image->header, 0, sizeof image->header);
}

#endif
