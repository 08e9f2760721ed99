/* SPDX-License-Identifier: Apache-2.0 */
/* Images in slots: checked, tried, confirmed. The layout is MCUboot's (docs/design.md there). */
#include "slot.h"

#include <string.h>

#include "dimmer_assert.h"
#include "dimmer_small_code.h"

#define IMAGE_MAGIC     0x96F3B83Du
#define TLV_MAGIC       0x6907u
#define PROTECTED_MAGIC 0x6908u

#define TLV_KEY_HASH    0x01u
#define TLV_SHA256      0x10u
#define TLV_ED25519     0x24u
#define TLV_COUNTER     0x50u
#define TLV_DEVELOPMENT 0xA2u

#define HEADER_SIZE 32u
#define INFO_SIZE   4u

static uint32_t word(const uint8_t *at, uint32_t bytes) {
    uint32_t value = 0u;

    while (bytes-- != 0u) {
        value = value << 8 | at[bytes];
    }
    return value;
}

/* A run of type, length and value entries. */
typedef struct {
    const uint8_t *at;
    uint32_t size;
} tlvs_t;

/* The run that begins here, with its four bytes of magic and length; 0 where it is none. */
static int tlvs_at(const uint8_t *at, uint32_t room, uint32_t magic, tlvs_t *found) {
    if (room < INFO_SIZE || word(at, 2) != magic || word(at + 2, 2) < INFO_SIZE || word(at + 2, 2) > room) {
        return 0;
    }
    found->at = at + INFO_SIZE;
    found->size = word(at + 2, 2) - INFO_SIZE;
    return 1;
}

/* The value of a type; null where there is none, or not of this size. */
static const uint8_t *value_of(const tlvs_t *tlvs, uint32_t type, uint32_t size) {
    uint32_t at = 0u;

    while (at + INFO_SIZE <= tlvs->size) {
        const uint32_t length = word(tlvs->at + at + 2, 2);

        if (length > tlvs->size - at - INFO_SIZE) {
            return NULL;
        }
        if (word(tlvs->at + at, 2) == type && length == size) {
            return tlvs->at + at + INFO_SIZE;
        }
        at += INFO_SIZE + length;
    }
    return NULL;
}

/* Whether so many bytes at an address lie in the image's code. */
static int lies_in(const uint8_t *start, uint32_t from, uint32_t size, const void *pointer, uint32_t bytes) {
    const uintptr_t place = (uintptr_t)pointer - (uintptr_t)start;

    return place >= from && bytes <= size && place - from <= size - bytes;
}

static dimmer_slot_status_t check_blob(const dimmer_store_t *store, const uint8_t *start, uint32_t header,
                                       uint32_t size, dimmer_image_t *image) {
    const dimmer_blob_t *blob = (const dimmer_blob_t *)(const void *)(start + header);

    if (size < sizeof *blob || blob->magic != DIMMER_BLOB_MAGIC || blob->size != sizeof *blob) {
        return DIMMER_SLOT_EMPTY;
    }
    if (blob->core >> 24 != store->core >> 24 || (blob->core & ~store->core) != 0u) {
        return DIMMER_SLOT_CORE;
    }
    if (blob->abi != DIMMER_ABI) {
        return DIMMER_SLOT_ABI;
    }
    if (blob->start != start || !lies_in(start, header, size, blob->model, sizeof *blob->model)) {
        return DIMMER_SLOT_ADDRESS;
    }
    if (blob->arena_size > store->arena_size) {
        return DIMMER_SLOT_ARENA;
    }
    if (blob->program > store->program) {
        return DIMMER_SLOT_PROGRAM;
    }
    if (!lies_in(start, header, size, blob->known_input, blob->model->dims.input.size) ||
        !lies_in(start, header, size, blob->known_outputs,
                 blob->model->dims.output.size * blob->model->dims.mode_count)) {
        return DIMMER_SLOT_ADDRESS;
    }
    image->blob = blob;
    return DIMMER_SLOT_OK;
}

dimmer_slot_status_t dimmer_slot_check(const dimmer_store_t *store, uint32_t slot, dimmer_image_t *image) {
    const uint8_t *start = store->slots[slot & 1u];
    const uint32_t header = word(start + 8, 2);
    const uint32_t guarded = word(start + 10, 2);
    const uint32_t size = word(start + 12, 4);
    tlvs_t own = {NULL, 0u};
    tlvs_t tlvs;
    const uint8_t *key;
    const uint8_t *value;
    uint32_t end;

    memset(image, 0, sizeof *image);
    if (word(start, 4) != IMAGE_MAGIC) {
        return DIMMER_SLOT_EMPTY;
    }
    if (header < HEADER_SIZE || header % 8u != 0u || header > store->slot_size ||
        size > store->slot_size - header || guarded > store->slot_size - header - size) {
        return DIMMER_SLOT_SIZE;
    }
    end = header + size;
    if ((guarded != 0u &&
         (!tlvs_at(start + end, guarded, PROTECTED_MAGIC, &own) || own.size + INFO_SIZE != guarded)) ||
        !tlvs_at(start + end + guarded, store->slot_size - end - guarded, TLV_MAGIC, &tlvs)) {
        return DIMMER_SLOT_SIZE;
    }
    dimmer_sha256(start, end + guarded, image->digest);
    value = value_of(&tlvs, TLV_SHA256, DIMMER_DIGEST);
    if (value == NULL || memcmp(value, image->digest, DIMMER_DIGEST) != 0) {
        return DIMMER_SLOT_HASH;
    }
    key = value_of(&tlvs, TLV_KEY_HASH, DIMMER_DIGEST);
    if (store->verify != NULL) {
        const uint8_t *signature = value_of(&tlvs, TLV_ED25519, 64u);

        if (key == NULL || signature == NULL ||
            store->verify(store->verify_user, key, image->digest, signature, 64u) != 0) {
            return DIMMER_SLOT_SIGNATURE;
        }
    }
    /* What an image says of itself is not enough: by that key anybody signs one that says nothing. */
    if (!store->development &&
        (value_of(&own, TLV_DEVELOPMENT, 1u) != NULL || (key != NULL && dimmer_is_demo_key(key)))) {
        return DIMMER_SLOT_DEVELOPMENT;
    }
    value = value_of(&own, TLV_COUNTER, 4u);
    image->counter = value != NULL ? word(value, 4) : 0u;
    image->version = (uint32_t)start[20] << 24 | (uint32_t)start[21] << 16 | word(start + 22, 2);
    return check_blob(store, start, header, size, image);
}

/* Whether an image is older than one that was confirmed here. */
static int is_older(const dimmer_log_t *log, uint32_t counter, uint32_t version) {
    return counter < log->floor_counter || (counter == log->floor_counter && version < log->floor_version);
}

/* Each mode's answer to the known input. A state is none at its beginning, which a mode or an older model may
 * have left, and none at its end: a cleared arena has none. */
static int answers_hold(dimmer_t *d, const dimmer_blob_t *blob) {
    const dimmer_dims_t *n = &blob->model->dims;
    uint32_t mode;

    for (mode = 0; mode < n->mode_count; ++mode) {
        if (dimmer_set_mode(d, (dimmer_mode_id_t)mode) != DIMMER_OK) {
            return 0;
        }
        memset(d->arena, 0, blob->arena_size);
        memcpy(dimmer_input(d), blob->known_input, n->input.size);
        if (dimmer_invoke(d) != DIMMER_OK ||
            memcmp(dimmer_output(d), blob->known_outputs + mode * n->output.size, n->output.size) != 0) {
            return 0;
        }
    }
    memset(d->arena, 0, blob->arena_size);
    return dimmer_set_mode(d, 0u) == DIMMER_OK;
}

/* Whether the slot's model is the one that the log speaks of, and runs. */
static dimmer_slot_status_t begin(const dimmer_store_t *store, const dimmer_log_t *log, uint32_t slot,
                                  int trial, dimmer_t *d, void *arena, dimmer_started_t *started) {
    const dimmer_note_t *note = &log->slots[slot];
    dimmer_slot_status_t status = dimmer_slot_check(store, slot, &started->image);

    if (status != DIMMER_SLOT_OK) {
        return status;
    }
    if (note->kind != 0u && memcmp(note->digest, started->image.digest, sizeof note->digest) != 0) {
        return DIMMER_SLOT_OTHER;
    }
    if (dimmer_init(d, started->image.blob->model, arena, store->arena_size) != DIMMER_OK) {
        return DIMMER_SLOT_MODEL;
    }
    if (trial && !answers_hold(d, started->image.blob)) {
        status = DIMMER_SLOT_ANSWERS;
        memset(d, 0, sizeof *d);
        /* The state that it left would be one for an older model of the same architecture. */
        memset(arena, 0, store->arena_size);
    }
    return status;
}

static dimmer_note_t note_of(const dimmer_image_t *image, uint32_t slot, dimmer_note_kind_t kind) {
    dimmer_note_t note;

    memset(&note, 0, sizeof note);
    note.kind = (uint8_t)kind;
    note.slot = (uint8_t)slot;
    note.counter = image->counter;
    note.version = image->version;
    memcpy(note.digest, image->digest, sizeof note.digest);
    return note;
}

/* A model that was never confirmed: it is noted that it is tried before it is. */
static int tried(const dimmer_store_t *store, dimmer_log_t *log, uint32_t slot, dimmer_t *d, void *arena,
                 dimmer_started_t *started) {
    dimmer_note_t note = log->slots[slot];
    dimmer_slot_status_t status = DIMMER_SLOT_TRIED;

    if (note.kind == 0u) {
        /* Put here by somebody else, as in a factory, or written and never finished. */
        status = dimmer_slot_check(store, slot, &started->image);
        if (status == DIMMER_SLOT_OK && is_older(log, started->image.counter, started->image.version)) {
            status = DIMMER_SLOT_DOWNGRADE;
        }
        if (status != DIMMER_SLOT_OK) {
            started->why[slot] = status;
            return 0;
        }
        note = note_of(&started->image, slot, DIMMER_NOTE_WRITTEN);
        if (dimmer_log_append(store, log, &note) != 0) {
            started->why[slot] = DIMMER_SLOT_FLASH;
            return 0;
        }
    }
    if (is_older(log, note.counter, note.version)) {
        /* The other one was confirmed since this one was written. */
        status = DIMMER_SLOT_DOWNGRADE;
    } else if (log->tries[slot] < DIMMER_SLOT_TRIES) {
        note.kind = DIMMER_NOTE_TRIED;
        if (dimmer_log_append(store, log, &note) != 0) {
            started->why[slot] = DIMMER_SLOT_FLASH;
            return 0;
        }
        status = begin(store, log, slot, 1, d, arena, started);
    }
    note.kind = status == DIMMER_SLOT_OK ? DIMMER_NOTE_CONFIRMED : DIMMER_NOTE_REJECTED;
    started->why[slot] = status;
    started->fresh = status == DIMMER_SLOT_OK;
    /* Where even this cannot be noted, it is tried again. */
    (void)dimmer_log_append(store, log, &note);
    return status == DIMMER_SLOT_OK;
}

dimmer_slot_status_t dimmer_store_start(const dimmer_store_t *store, dimmer_t *d, void *arena,
                                        dimmer_started_t *started) {
    dimmer_log_t log;
    uint32_t turn;

    DIMMER_ASSERT(store != NULL && d != NULL && arena != NULL && started != NULL);
    memset(d, 0, sizeof *d);
    memset(started, 0, sizeof *started);
    dimmer_log_read(store, &log);
    /* What is new, what was confirmed last, what was confirmed before, what nobody knows. */
    for (turn = 0; turn < 8u; ++turn) {
        const uint32_t slot = turn % 2u;
        const uint8_t kind = log.slots[slot].kind;
        int runs = 0;

        started->slot = (int8_t)slot;
        switch (turn / 2u) {
        case 0:
            runs = kind == DIMMER_NOTE_WRITTEN && tried(store, &log, slot, d, arena, started);
            break;
        case 1:
        case 2:
            if (kind == DIMMER_NOTE_CONFIRMED && (log.current == (int8_t)slot) == (turn / 2u == 1u)) {
                started->why[slot] = begin(store, &log, slot, 0, d, arena, started);
                runs = started->why[slot] == DIMMER_SLOT_OK;
            }
            break;
        default:
            runs = kind == 0u && tried(store, &log, slot, d, arena, started);
            break;
        }
        if (runs) {
            return DIMMER_SLOT_OK;
        }
    }
    memset(d, 0, sizeof *d);
    started->slot = -1;
    return DIMMER_SLOT_NONE;
}

uint32_t dimmer_store_free(const dimmer_started_t *started) {
    return started->slot == 0 ? 1u : 0u;
}

dimmer_slot_status_t dimmer_store_erase(const dimmer_store_t *store, uint32_t slot) {
    return dimmer_flash_erase(store, store->slots[slot & 1u], store->slot_size) == 0 ? DIMMER_SLOT_OK
                                                                                     : DIMMER_SLOT_FLASH;
}

dimmer_slot_status_t dimmer_store_write(const dimmer_store_t *store, uint32_t slot, uint32_t offset,
                                        const uint8_t *data, uint32_t size) {
    if (offset % store->flash->granule != 0u || size % store->flash->granule != 0u ||
        size > store->slot_size || offset > store->slot_size - size) {
        return DIMMER_SLOT_SIZE;
    }
    return dimmer_flash_program(store, store->slots[slot & 1u] + offset, data, size) == 0 ? DIMMER_SLOT_OK
                                                                                          : DIMMER_SLOT_FLASH;
}

dimmer_slot_status_t dimmer_store_finish(const dimmer_store_t *store, uint32_t slot) {
    dimmer_image_t image;
    dimmer_log_t log;
    dimmer_note_t note;
    const dimmer_slot_status_t status = dimmer_slot_check(store, slot, &image);

    if (status != DIMMER_SLOT_OK) {
        return status;
    }
    dimmer_log_read(store, &log);
    if (is_older(&log, image.counter, image.version)) {
        return DIMMER_SLOT_DOWNGRADE;
    }
    note = note_of(&image, slot, DIMMER_NOTE_WRITTEN);
    return dimmer_log_append(store, &log, &note) == 0 ? DIMMER_SLOT_OK : DIMMER_SLOT_FLASH;
}

const char *dimmer_slot_text(dimmer_slot_status_t status) {
    static const char *const texts[] = {
        "ok",
        "there is no image in the slot",
        "the image is truncated, or longer than the slot",
        "the image is damaged: its SHA-256 is another one",
        "the image is not signed by a key that this device knows",
        "the image was signed for development; this device takes releases",
        "the image was linked for another address",
        "the image was made for another version of the runtime",
        "the image was made for another core",
        "the image needs a larger arena",
        "the image needs a newer program",
        "the image is older than one that was confirmed here",
        "the model in the image is refused by dimmer_init",
        "the model does not compute its known answers",
        "the flash could not be erased or programmed",
        "the model was tried and never came to its known answers",
        "the slot holds another image than the log speaks of",
        "no slot has a model that runs",
    };
    const uint32_t number = (uint32_t)(-(int32_t)status);

    return number < sizeof texts / sizeof *texts ? texts[number] : "unknown status";
}
