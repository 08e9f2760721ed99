/* SPDX-License-Identifier: Apache-2.0 */
#include "dimmer_settings.h"

#include <string.h>

#include "dimmer_assert.h"
#include "engine.h"
#include "slot.h"
#include "dimmer_small_code.h"

static const dimmer_settings_t *settings_at(const uint8_t *record) {
    return (const dimmer_settings_t *)(const void *)record;
}

/* A number of a record that lies anywhere, in the buffer of a radio for one. */
static uint32_t number_at(const uint8_t *record, size_t offset) {
    uint32_t number;

    memcpy(&number, record + offset, sizeof number);
    return number;
}

dimmer_slot_status_t dimmer_settings_check(const dimmer_settings_store_t *store, const uint8_t *record,
                                           uint32_t size) {
    uint8_t digest[DIMMER_DIGEST];

    if (size < sizeof(dimmer_settings_t)) {
        return DIMMER_SLOT_SIZE;
    }
    if (number_at(record, offsetof(dimmer_settings_t, magic)) != DIMMER_SETTINGS_MAGIC ||
        number_at(record, offsetof(dimmer_settings_t, size)) != sizeof(dimmer_settings_t)) {
        return DIMMER_SLOT_EMPTY;
    }
    if (dimmer_crc32(0u, record, offsetof(dimmer_settings_t, crc)) !=
        number_at(record, offsetof(dimmer_settings_t, crc))) {
        return DIMMER_SLOT_HASH;
    }
    if (store->verify != NULL) {
        const uint8_t *key = record + sizeof(dimmer_settings_t);

        if (size < DIMMER_SETTINGS_SIGNED) {
            return DIMMER_SLOT_SIGNATURE;
        }
        if (dimmer_is_demo_key(key)) {
            return DIMMER_SLOT_DEVELOPMENT;
        }
        dimmer_sha256(record, sizeof(dimmer_settings_t), digest);
        if (store->verify(store->verify_user, key, digest, key + DIMMER_DIGEST, 64u) != 0) {
            return DIMMER_SLOT_SIGNATURE;
        }
    }
    return DIMMER_SLOT_OK;
}

const dimmer_settings_t *dimmer_settings_find(const dimmer_settings_store_t *store) {
    const dimmer_settings_t *found = NULL;
    uint32_t place;

    for (place = 0; place < 2u; ++place) {
        const dimmer_settings_t *settings = settings_at(store->places[place]);

        if (dimmer_settings_check(store, store->places[place], store->place_size) == DIMMER_SLOT_OK &&
            (found == NULL || settings->sequence > found->sequence)) {
            found = settings;
        }
    }
    return found;
}

dimmer_slot_status_t dimmer_settings_put(const dimmer_settings_store_t *store, const uint8_t *record,
                                         uint32_t size) {
    const dimmer_settings_t *held = dimmer_settings_find(store);
    const uint8_t *place = store->places[(const uint8_t *)held == store->places[0] ? 1u : 0u];
    const dimmer_slot_status_t status = dimmer_settings_check(store, record, size);
    dimmer_store_t flash;

    if (status != DIMMER_SLOT_OK) {
        return status;
    }
    if (held != NULL && number_at(record, offsetof(dimmer_settings_t, sequence)) <= held->sequence) {
        return DIMMER_SLOT_DOWNGRADE;
    }
    if (size > store->place_size || size % store->flash->granule != 0u) {
        return DIMMER_SLOT_SIZE;
    }
    memset(&flash, 0, sizeof flash);
    flash.flash = store->flash;
    return dimmer_flash_erase(&flash, place, store->place_size) == 0 &&
                   dimmer_flash_program(&flash, place, record, size) == 0
               ? DIMMER_SLOT_OK
               : DIMMER_SLOT_FLASH;
}

dimmer_status_t dimmer_settings_apply(dimmer_t *d, const dimmer_settings_t *settings) {
    const dimmer_policy_t *policy = NULL; /* the model's */
    dimmer_status_t status;

    DIMMER_ASSERT(d != NULL && settings != NULL);
    status = dimmer_whole(d);
    if (status != DIMMER_OK) {
        return status;
    }
    if (settings->model != 0u && settings->model != d->model->crc) {
        return DIMMER_ERR_CRC;
    }
    /* First what may be refused, so that nothing holds by halves. */
    if ((settings->parts & DIMMER_SETTINGS_POLICY) != 0u) {
        policy = &settings->policy;
        status = dimmer_policy_check(policy);
        if (status == DIMMER_OK && !dimmer_has_modes(d->model, policy)) {
            status = DIMMER_ERR_MODE;
        }
    }
    /* What this record leaves away an earlier one may have given, which lies where the next one is written.
     */
    if (status == DIMMER_OK && d->governor != NULL) {
        status = dimmer_set_plan(d, (settings->parts & DIMMER_SETTINGS_PLAN) != 0u ? &settings->plan
                                                                                   : d->model->plan);
    }
    if (status == DIMMER_OK && (policy != NULL || d->policy != &d->model->policy)) {
        status = dimmer_set_policy(d, policy);
    }
    return status;
}
