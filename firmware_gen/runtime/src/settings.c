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

dimmer_slot_status_t dimmer_settings_check(const dimmer_settings_store_t *store, const uint8_t *record,
                                           uint32_t size) {
    const dimmer_settings_t *settings = settings_at(record);
    uint8_t digest[DIMMER_DIGEST];

    DIMMER_ASSERT((uintptr_t)record % 4u == 0u);
    if (size < sizeof *settings) {
        return DIMMER_SLOT_SIZE;
    }
    if (settings->magic != DIMMER_SETTINGS_MAGIC || settings->size != sizeof *settings) {
        return DIMMER_SLOT_EMPTY;
    }
    if (dimmer_crc32(0u, settings, offsetof(dimmer_settings_t, crc)) != settings->crc) {
        return DIMMER_SLOT_HASH;
    }
    if (store->verify != NULL) {
        const uint8_t *key = record + sizeof *settings;

        if (size < DIMMER_SETTINGS_SIGNED) {
            return DIMMER_SLOT_SIGNATURE;
        }
        dimmer_sha256(settings, sizeof *settings, digest);
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
    if (held != NULL && settings_at(record)->sequence <= held->sequence) {
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
        status = dimmer_policy_check(&settings->policy);
        if (status == DIMMER_OK && !dimmer_has_modes(d->model, &settings->policy)) {
            status = DIMMER_ERR_MODE;
        }
    }
    if (status == DIMMER_OK && (settings->parts & DIMMER_SETTINGS_PLAN) != 0u && d->governor != NULL) {
        status = dimmer_set_plan(d, &settings->plan);
    }
    if (status == DIMMER_OK && (settings->parts & DIMMER_SETTINGS_POLICY) != 0u) {
        status = dimmer_set_policy(d, &settings->policy);
    }
    return status;
}
