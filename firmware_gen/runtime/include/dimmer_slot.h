/* SPDX-License-Identifier: Apache-2.0 */
/* A model as an image of its own, in one of two slots of flash, changed without the program.
 *
 * An image is MCUboot's (header, SHA-256, signature, security counter; imgtool reads it) and holds a
 * dimmer_blob_t, the model, its kernels and known answers. Nothing of it is run before all of it is checked.
 * A log of two erase blocks, to which records are only appended, says what was written, tried and confirmed:
 * whenever the power fails, the old model runs, or the new one, or none and the reason is told.
 *
 * Flash is read in place; erasing and programming are the caller's functions. docs/field.md has the steps.
 */
#ifndef DIMMER_SLOT_H
#define DIMMER_SLOT_H

#include "dimmer_tables.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DIMMER_BLOB_MAGIC 0x424D4D44u /* "DMMB" */
#define DIMMER_DIGEST     32u

/* A new model gets so many starts to show its known answers: a reset in the middle of one is no verdict. */
#define DIMMER_SLOT_TRIES 3u

/* Bytes of a record of the log; a granule of the flash is at most as large and divides it. */
#define DIMMER_SLOT_RECORD 32u

typedef enum {
    DIMMER_SLOT_OK = 0,
    DIMMER_SLOT_EMPTY = -1,       /* no image begins here */
    DIMMER_SLOT_SIZE = -2,        /* truncated, or longer than the slot */
    DIMMER_SLOT_HASH = -3,        /* SHA-256 is another one: damaged */
    DIMMER_SLOT_SIGNATURE = -4,   /* not signed by a key that the verifier knows */
    DIMMER_SLOT_DEVELOPMENT = -5, /* signed for development, and this program takes releases alone */
    DIMMER_SLOT_ADDRESS = -6,     /* linked for another address */
    DIMMER_SLOT_ABI = -7,         /* made for another version of the runtime */
    DIMMER_SLOT_CORE = -8,        /* made for another core */
    DIMMER_SLOT_ARENA = -9,       /* needs a larger arena */
    DIMMER_SLOT_PROGRAM = -10,    /* needs a newer program */
    DIMMER_SLOT_DOWNGRADE = -11,  /* older than a model that was confirmed here */
    DIMMER_SLOT_MODEL = -12,      /* dimmer_init refuses it */
    DIMMER_SLOT_ANSWERS = -13,    /* its known answers are not what it computes */
    DIMMER_SLOT_FLASH = -14,      /* could not be erased or programmed */
    DIMMER_SLOT_TRIED = -15,      /* never came to its known answers, in DIMMER_SLOT_TRIES starts */
    DIMMER_SLOT_OTHER = -16,      /* not the image that the log speaks of */
    DIMMER_SLOT_NONE = -17        /* no slot has a model that runs */
} dimmer_slot_status_t;

/* What a core can, and what code for it needs: 24 bits of features under the kind of core. */
#if defined(__riscv)
#define DIMMER_CORE_KIND 2u
#elif defined(__arm__)
#define DIMMER_CORE_KIND 1u
#else
#define DIMMER_CORE_KIND 0u /* this machine: for tests */
#endif
#if defined(__ARM_ARCH_ISA_THUMB) && __ARM_ARCH_ISA_THUMB >= 2
#define DIMMER_CORE_THUMB2 1u
#else
#define DIMMER_CORE_THUMB2 0u
#endif
#if defined(__ARM_FEATURE_DSP)
#define DIMMER_CORE_DSP 2u
#else
#define DIMMER_CORE_DSP 0u
#endif
#if defined(__ARM_FEATURE_MVE)
#define DIMMER_CORE_MVE 4u
#else
#define DIMMER_CORE_MVE 0u
#endif
#if (defined(__ARM_FP) && !defined(__SOFTFP__)) || defined(__riscv_flen)
#define DIMMER_CORE_FPU 8u
#else
#define DIMMER_CORE_FPU 0u
#endif
#if defined(__ARM_ARCH) && __ARM_ARCH >= 8
#define DIMMER_CORE_V8 16u
#else
#define DIMMER_CORE_V8 0u
#endif
#if defined(__riscv_mul)
#define DIMMER_CORE_MUL 32u
#else
#define DIMMER_CORE_MUL 0u
#endif
#if defined(__riscv_compressed)
#define DIMMER_CORE_COMPRESSED 64u
#else
#define DIMMER_CORE_COMPRESSED 0u
#endif
#if defined(__riscv_zba) || defined(__riscv_zbb)
#define DIMMER_CORE_BITS 128u
#else
#define DIMMER_CORE_BITS 0u
#endif
#define DIMMER_CORE                                                                                          \
    (DIMMER_CORE_KIND << 24 | DIMMER_CORE_THUMB2 | DIMMER_CORE_DSP | DIMMER_CORE_MVE | DIMMER_CORE_FPU |     \
     DIMMER_CORE_V8 | DIMMER_CORE_MUL | DIMMER_CORE_COMPRESSED | DIMMER_CORE_BITS)

/* What an image's code begins with, behind MCUboot's header. */
typedef struct {
    uint32_t magic; /* DIMMER_BLOB_MAGIC */
    uint32_t size;  /* of this struct */
    uint32_t abi;   /* DIMMER_ABI */
    uint32_t core;  /* DIMMER_CORE */
    uint32_t arena_size;
    uint32_t program;     /* the lowest program that may run it: dimmer_store_t.program */
    const uint8_t *start; /* of the image, its header: the slot's address */
    const dimmer_model_t *model;
    const int8_t *known_input;
    const int8_t *known_outputs; /* [mode_count][output size] */
} dimmer_blob_t;

/* The caller's flash. Addresses are where it is read. Both return 0 where it is done. */
typedef struct {
    /* Whole erase blocks; they read 0xFF then. */
    int (*erase)(void *user, const uint8_t *address, uint32_t size);
    /* Whole granules that were erased. */
    int (*program)(void *user, const uint8_t *address, const uint8_t *data, uint32_t size);
    void *user;
    uint32_t granule; /* bytes, a power of two, at most DIMMER_SLOT_RECORD */
} dimmer_flash_t;

/* Returns 0 where `signature` is that of the key with this SHA-256 of its public key (as
 * SubjectPublicKeyInfo), over the digest: ed25519 as imgtool signs. Key and digest are uint8[DIMMER_DIGEST].
 */
typedef int (*dimmer_verify_t)(void *user, const uint8_t *key, const uint8_t *digest,
                               const uint8_t *signature, uint32_t size);

/* Of a device; constant. */
typedef struct {
    const dimmer_flash_t *flash;
    const uint8_t *slots[2];
    uint32_t slot_size;
    const uint8_t *log[2];  /* an erase block each */
    uint32_t log_size;      /* of each, at least 512 bytes */
    uint32_t core;          /* DIMMER_CORE */
    uint32_t program;       /* version of this program, any number that grows */
    uint32_t arena_size;    /* bytes that the program has */
    dimmer_verify_t verify; /* null: SHA-256 alone, which is no proof of who made it */
    void *verify_user;
    uint8_t development; /* 1: takes images that were signed for development */
} dimmer_store_t;

/* Of an image that was checked. */
typedef struct {
    const dimmer_blob_t *blob;
    uint32_t counter; /* security counter */
    uint32_t version; /* major << 24 | minor << 16 | revision */
    uint8_t digest[DIMMER_DIGEST];
} dimmer_image_t;

/* How a start ended. */
typedef struct {
    int8_t slot;                 /* whose model runs; -1: none does */
    uint8_t fresh;               /* 1: it was confirmed just now */
    dimmer_slot_status_t why[2]; /* of each slot; DIMMER_SLOT_OK also where it was not looked at */
    dimmer_image_t image;
} dimmer_started_t;

/* Checks all of an image but its answers and whether it is old. Returns the first thing that is wrong. */
dimmer_slot_status_t dimmer_slot_check(const dimmer_store_t *store, uint32_t slot, dimmer_image_t *image);

/* Finds the model to run: one that was written and not yet tried, whose known answers must hold, then it is
 * confirmed; else the confirmed one, else the confirmed one before it; else one that the log does not know,
 * as on a new device, unless it is older than one that was confirmed here. Returns DIMMER_SLOT_OK and an
 * initialised `d`, or DIMMER_SLOT_NONE, and `d` is without a model. */
dimmer_slot_status_t dimmer_store_start(const dimmer_store_t *store, dimmer_t *d, void *arena,
                                        dimmer_started_t *started);

/* The slot for the next image: the one whose model does not run. */
uint32_t dimmer_store_free(const dimmer_started_t *started);

/* Erases a slot for a new image. */
dimmer_slot_status_t dimmer_store_erase(const dimmer_store_t *store, uint32_t slot);

/* Programs and compares whole granules of a slot, in any order. */
dimmer_slot_status_t dimmer_store_write(const dimmer_store_t *store, uint32_t slot, uint32_t offset,
                                        const uint8_t *data, uint32_t size);

/* Checks what was written, also whether it is older than what was confirmed, and notes that it is to be tried
 * at the next start. Returns what is wrong; nothing is noted then. */
dimmer_slot_status_t dimmer_store_finish(const dimmer_store_t *store, uint32_t slot);

/* Returns one English line, never null. */
const char *dimmer_slot_text(dimmer_slot_status_t status);

void dimmer_sha256(const void *data, size_t size, uint8_t digest[DIMMER_DIGEST]);

#ifdef __cplusplus
}
#endif

#endif
