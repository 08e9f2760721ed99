/* SPDX-License-Identifier: Apache-2.0 */
/* The log: two erase blocks, of which the one with the higher generation holds. A block's first record is
 * written last, so that a block that was not finished does not hold; a record that was torn has a wrong CRC
 * and is passed over. */
#include <string.h>

#include "slot.h"
#include "dimmer_small_code.h"

#define NOTE_MAGIC 0x4C4D4D44u /* "DMML" */

static uint32_t crc_of(const dimmer_note_t *note) {
    return dimmer_crc32(0u, note, offsetof(dimmer_note_t, crc));
}

static int read_note(const uint8_t *at, dimmer_note_t *note) {
    memcpy(note, at, sizeof *note);
    return note->magic == NOTE_MAGIC && note->slot < 2u && crc_of(note) == note->crc;
}

static int erased(const uint8_t *at, uint32_t size) {
    while (size != 0u && *at == 0xFFu) {
        ++at;
        --size;
    }
    return size == 0u;
}

int dimmer_flash_erase(const dimmer_store_t *store, const uint8_t *at, uint32_t size) {
    return store->flash->erase(store->flash->user, at, size) != 0 || !erased(at, size);
}

int dimmer_flash_program(const dimmer_store_t *store, const uint8_t *at, const uint8_t *data, uint32_t size) {
    return store->flash->program(store->flash->user, at, data, size) != 0 || memcmp(at, data, size) != 0;
}

static void take(dimmer_log_t *log, const dimmer_note_t *note) {
    dimmer_note_t *slot = &log->slots[note->slot];

    switch (note->kind) {
    case DIMMER_NOTE_WRITTEN:
        *slot = *note;
        log->tries[note->slot] = 0u;
        if (log->current == (int8_t)note->slot) {
            log->current = -1;
        }
        break;
    case DIMMER_NOTE_TRIED:
        ++log->tries[note->slot];
        break;
    case DIMMER_NOTE_CONFIRMED:
        *slot = *note;
        log->current = (int8_t)note->slot;
        if (note->counter > log->floor_counter ||
            (note->counter == log->floor_counter && note->version > log->floor_version)) {
            log->floor_counter = note->counter;
            log->floor_version = note->version;
        }
        break;
    default:
        *slot = *note;
        break;
    }
}

void dimmer_log_read(const dimmer_store_t *store, dimmer_log_t *log) {
    dimmer_note_t note;
    uint32_t block;
    uint32_t at;

    memset(log, 0, sizeof *log);
    log->current = -1;
    for (block = 0; block < 2u; ++block) {
        if (read_note(store->log[block], &note) && note.kind == DIMMER_NOTE_BLOCK &&
            note.generation > log->generation) {
            log->generation = note.generation;
            log->block = block;
            log->floor_counter = note.counter;
            log->floor_version = note.version;
        }
    }
    if (log->generation == 0u) {
        return;
    }
    log->next = DIMMER_SLOT_RECORD;
    for (at = DIMMER_SLOT_RECORD; at + DIMMER_SLOT_RECORD <= store->log_size; at += DIMMER_SLOT_RECORD) {
        const uint8_t *record = store->log[log->block] + at;

        if (!erased(record, DIMMER_SLOT_RECORD)) {
            /* Also behind a record that was torn. */
            log->next = at + DIMMER_SLOT_RECORD;
        }
        if (read_note(record, &note) && note.generation == log->generation) {
            take(log, &note);
        }
    }
}

static int put(const dimmer_store_t *store, uint32_t block, uint32_t at, uint32_t generation,
               const dimmer_note_t *note) {
    dimmer_note_t sealed = *note;

    sealed.magic = NOTE_MAGIC;
    sealed.generation = generation;
    sealed.crc = crc_of(&sealed);
    return dimmer_flash_program(store, store->log[block] + at, (const uint8_t *)&sealed, sizeof sealed);
}

/* A slot's records as they lead to its state. */
static int put_slot(const dimmer_store_t *store, const dimmer_log_t *log, uint32_t slot, uint32_t block,
                    uint32_t *at) {
    dimmer_note_t note = log->slots[slot];
    const uint8_t kind = note.kind;
    uint32_t i;

    if (kind == 0u) {
        return 0;
    }
    for (i = 0; i < 2u + log->tries[slot]; ++i) {
        note.kind = kind;
        if (i <= log->tries[slot]) {
            note.kind = i == 0u ? DIMMER_NOTE_WRITTEN : DIMMER_NOTE_TRIED;
        }
        if (i != 0u && note.kind == DIMMER_NOTE_WRITTEN) {
            break;
        }
        if (put(store, block, *at, log->generation + 1u, &note) != 0) {
            return 1;
        }
        *at += DIMMER_SLOT_RECORD;
    }
    return 0;
}

/* What holds, into the other block. */
static int move_on(const dimmer_store_t *store, dimmer_log_t *log) {
    const uint32_t block = log->generation == 0u ? 0u : 1u - log->block;
    const uint32_t first = log->current == 0 ? 1u : 0u;
    dimmer_note_t head;
    uint32_t at = DIMMER_SLOT_RECORD;

    memset(&head, 0, sizeof head);
    head.kind = DIMMER_NOTE_BLOCK;
    head.counter = log->floor_counter;
    head.version = log->floor_version;
    /* The current slot comes last: it is the one that was confirmed last. */
    if (dimmer_flash_erase(store, store->log[block], store->log_size) != 0 ||
        put_slot(store, log, first, block, &at) != 0 || put_slot(store, log, 1u - first, block, &at) != 0 ||
        put(store, block, 0u, log->generation + 1u, &head) != 0) {
        return 1;
    }
    dimmer_log_read(store, log);
    return 0;
}

int dimmer_log_append(const dimmer_store_t *store, dimmer_log_t *log, const dimmer_note_t *note) {
    uint32_t again;

    /* Where a granule does not take what it is given, the next one may. */
    for (again = 0; again < 4u; ++again) {
        if ((log->generation == 0u || log->next + DIMMER_SLOT_RECORD > store->log_size) &&
            move_on(store, log) != 0) {
            return 1;
        }
        if (put(store, log->block, log->next, log->generation, note) == 0) {
            dimmer_log_read(store, log);
            return 0;
        }
        log->next += DIMMER_SLOT_RECORD;
    }
    return 1;
}
