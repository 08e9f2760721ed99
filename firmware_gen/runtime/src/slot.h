/* SPDX-License-Identifier: Apache-2.0 */
/* The log of what was written, tried and confirmed: shared by its own file and the store. */
#ifndef DIMMER_SLOT_LOG_H
#define DIMMER_SLOT_LOG_H

#include "dimmer_slot.h"

typedef enum {
    DIMMER_NOTE_BLOCK = 1,
    DIMMER_NOTE_WRITTEN = 2,
    DIMMER_NOTE_TRIED = 3,
    DIMMER_NOTE_CONFIRMED = 4,
    DIMMER_NOTE_REJECTED = 5
} dimmer_note_kind_t;

/* 32 bytes, little-endian as the core is. */
typedef struct {
    uint32_t magic;
    uint32_t generation; /* of the block */
    uint8_t kind;
    uint8_t slot;
    uint16_t reserved;
    uint32_t counter; /* of a block: the highest that was confirmed */
    uint32_t version;
    uint8_t digest[8]; /* the first bytes of the image's */
    uint32_t crc;
} dimmer_note_t;
DIMMER_CHECK_SIZE(dimmer_note_t, DIMMER_SLOT_RECORD);

/* What the log says. */
typedef struct {
    uint32_t generation; /* 0: there is no log yet */
    uint32_t block;
    uint32_t next; /* offset of the next record */
    uint32_t floor_counter;
    uint32_t floor_version;
    int8_t current; /* the slot that was confirmed last; -1: none */
    uint8_t tries[2];
    dimmer_note_t slots[2]; /* kind 0: nothing is known */
} dimmer_log_t;

void dimmer_log_read(const dimmer_store_t *store, dimmer_log_t *log);

/* Appends a record; makes a new block where this one is full. 0: done. */
int dimmer_log_append(const dimmer_store_t *store, dimmer_log_t *log, const dimmer_note_t *note);

/* Whether a key's SHA-256 is that of the documentation's, by which everybody can sign. */
int dimmer_is_demo_key(const uint8_t *key);

/* Erases, programs and compares. 0: done. */
int dimmer_flash_erase(const dimmer_store_t *store, const uint8_t *at, uint32_t size);
int dimmer_flash_program(const dimmer_store_t *store, const uint8_t *at, const uint8_t *data, uint32_t size);

#endif
