/* SPDX-License-Identifier: Apache-2.0 */
/* Thresholds, the governor's plan and the duty as a record of their own: changed without a new model.
 *
 * Two erase blocks hold a record each; the one with the higher sequence that is whole holds, so that a loss
 * of power while one is written leaves the other. A record has a CRC-32, and behind it, where the device
 * verifies, a signature over the SHA-256 of the record.
 */
#ifndef DIMMER_SETTINGS_H
#define DIMMER_SETTINGS_H

#include "dimmer_governor.h"
#include "dimmer_slot.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DIMMER_SETTINGS_MAGIC 0x534D4D44u /* "DMMS" */

/* Of `parts`. */
enum { DIMMER_SETTINGS_POLICY = 1, DIMMER_SETTINGS_PLAN = 2, DIMMER_SETTINGS_DUTY = 4 };

typedef struct {
    uint32_t magic; /* DIMMER_SETTINGS_MAGIC */
    uint32_t size;  /* of this struct */
    uint32_t sequence;
    uint32_t model; /* crc of the model that it is for; 0: of any that has the modes */
    uint32_t parts;
    uint32_t period_ms; /* from one inference to the next, for the application */
    uint32_t reserved[2];
    dimmer_policy_t policy;
    dimmer_plan_t plan;
    uint32_t reserved_too;
    uint32_t crc; /* CRC-32 of all before */
} dimmer_settings_t;
DIMMER_CHECK_SIZE(dimmer_settings_t, 160);

/* A record with its signature: SHA-256 of the key, 64 bytes of ed25519. */
#define DIMMER_SETTINGS_SIGNED 256u

/* Of a device; constant. */
typedef struct {
    const dimmer_flash_t *flash;
    const uint8_t *places[2]; /* an erase block each */
    uint32_t place_size;      /* at least DIMMER_SETTINGS_SIGNED */
    dimmer_verify_t verify;   /* null: the CRC alone, which holds against damage and not against anybody */
    void *verify_user;
} dimmer_settings_store_t;

/* Returns whether a record of so many bytes, at any address, is whole: DIMMER_SLOT_EMPTY, _SIZE, _HASH or
 * _SIGNATURE where not. */
dimmer_slot_status_t dimmer_settings_check(const dimmer_settings_store_t *store, const uint8_t *record,
                                           uint32_t size);

/* Returns the record that holds; null where there is none. */
const dimmer_settings_t *dimmer_settings_find(const dimmer_settings_store_t *store);

/* Writes a record of whole granules. Returns what is wrong with it, DIMMER_SLOT_DOWNGRADE where its sequence
 * is not higher than that of the record that holds, DIMMER_SLOT_FLASH. */
dimmer_slot_status_t dimmer_settings_put(const dimmer_settings_store_t *store, const uint8_t *record,
                                         uint32_t size);

/* Gives policy and plan to an initialised `d`, the plan where a governor chooses; of what the record leaves
 * away, the model's. The record must outlive `d`: one that dimmer_settings_find gives is erased by the second
 * dimmer_settings_put from now on, so that each new record is applied before the next one is written.
 * Returns what dimmer_set_policy and dimmer_set_plan say, DIMMER_ERR_CRC where it is for another model;
 * DIMMER_ERR_INIT without a model, DIMMER_ERR_STATE where `d` is damaged; policy and plan both stay as they
 * were then. */
dimmer_status_t dimmer_settings_apply(dimmer_t *d, const dimmer_settings_t *settings);

#ifdef __cplusplus
}
#endif

#endif
