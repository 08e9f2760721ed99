/* SPDX-License-Identifier: Apache-2.0 */
/* Records of settings in two erase blocks: settings_test FIRST SECOND, files of sequence 1 and 2. */
#include "dimmer_settings.h"

#include "engine_fixture.h"

#define PLACE 512u

static union {
    uint8_t bytes[2u * PLACE];
    uint64_t alignment;
} flash;
static uint32_t left = UINT32_MAX; /* granules until the power fails */

static int erase(void *user, const uint8_t *address, uint32_t size) {
    (void)user;
    memset(flash.bytes + (address - flash.bytes), 0xFF, size);
    return 0;
}

static int program(void *user, const uint8_t *address, const uint8_t *data, uint32_t size) {
    uint8_t *at = flash.bytes + (address - flash.bytes);

    (void)user;
    for (; size != 0u; size -= 8u, at += 8, data += 8) {
        if (left == 0u) {
            return 1;
        }
        --left;
        memcpy(at, data, 8);
    }
    return 0;
}

static int refuse(void *user, const uint8_t *key, const uint8_t *digest, const uint8_t *signature,
                  uint32_t size) {
    (void)user;
    (void)key;
    (void)digest;
    (void)signature;
    return size == 64u;
}

static int accept(void *user, const uint8_t *key, const uint8_t *digest, const uint8_t *signature,
                  uint32_t size) {
    return refuse(user, key, digest, signature, size) == 0;
}

/* The documentation's key, as records name it. */
static const uint8_t demo_key[32] = {0x87, 0xB6, 0x1B, 0xB8, 0x8A, 0x9B, 0x9A, 0xF8, 0x3E, 0xAE, 0xA1,
                                     0x6E, 0x97, 0xA5, 0xB9, 0xFF, 0xE7, 0x73, 0xD2, 0x0B, 0x61, 0xCA,
                                     0x9A, 0x29, 0xCF, 0x01, 0xEA, 0xCB, 0x4F, 0xD0, 0xAF, 0x01};

static const dimmer_flash_t chip = {erase, program, NULL, 8};
static dimmer_settings_store_t store = {&chip, {flash.bytes, flash.bytes + PLACE}, PLACE, NULL, NULL};

static union {
    uint8_t bytes[2][256];
    uint32_t alignment;
} records;

static uint32_t read_file(const char *path, uint8_t *to) {
    FILE *file = fopen(path, "rb");
    size_t size = 0;

    if (file != NULL) {
        size = fread(to, 1, 256, file);
        (void)fclose(file);
    }
    return (uint32_t)size;
}

/* A record with another sequence and parts, as a radio leaves it: at an odd address. */
static dimmer_slot_status_t put_anew(const dimmer_settings_t *like, uint32_t sequence, uint32_t parts) {
    static uint8_t packet[161];
    dimmer_settings_t made = *like;

    made.sequence = sequence;
    made.parts = parts;
    made.crc = dimmer_crc32(0u, &made, offsetof(dimmer_settings_t, crc));
    memcpy(packet + 1, &made, sizeof made);
    return dimmer_settings_put(&store, packet + 1, sizeof made);
}

/* Records without policy and plan come after one with both, and are written over it. */
static void what_a_record_leaves_away_is_the_models(dimmer_t *d, const dimmer_governor_t *g,
                                                    const fixture_t *f) {
    const dimmer_battery_t full = {0, 0, 1000, 3300, 0, 0, 0};
    const dimmer_settings_t first = *dimmer_settings_find(&store);
    uint32_t i;

    CHECK(dimmer_settings_apply(d, dimmer_settings_find(&store)) == DIMMER_OK);
    CHECK(d->policy != &f->model.policy && g->plan != f->model.plan);
    for (i = 1; i < 4u; ++i) {
        CHECK(put_anew(&first, first.sequence + i, DIMMER_SETTINGS_DUTY) == DIMMER_SLOT_OK);
        CHECK(dimmer_settings_apply(d, dimmer_settings_find(&store)) == DIMMER_OK);
        CHECK(d->policy == &f->model.policy && g->plan == f->model.plan);
        CHECK(dimmer_report_battery(d, &full) == DIMMER_OK);
    }
    CHECK(put_anew(&first, first.sequence + i, DIMMER_SETTINGS_POLICY) == DIMMER_SLOT_OK);
    CHECK(dimmer_settings_apply(d, dimmer_settings_find(&store)) == DIMMER_OK);
    CHECK(d->policy == &dimmer_settings_find(&store)->policy && g->plan == f->model.plan);
}

int main(int argc, char **argv) {
    static const dimmer_plan_t plan = {.life_s = 86400,
                                       .sleep_q8 = 256,
                                       .wanted_q8 = 15360,
                                       .permille_units = 1000,
                                       .report_s = 60,
                                       .unit_shift = 4,
                                       .count = 2,
                                       .points = {{100, 1, 10}, {200, 0, 20}}};
    dimmer_battery_t now = {0, 0, 400, 3300, 0, 0, 0};
    const dimmer_settings_t *found;
    dimmer_settings_t copy;
    dimmer_governor_t g;
    fixture_t f;
    dimmer_t d;
    uint32_t i;

    if (argc != 3 || read_file(argv[1], records.bytes[0]) != 160u ||
        read_file(argv[2], records.bytes[1]) != 160u) {
        return 2;
    }
    memset(&flash, 0xFF, sizeof flash);
    CHECK(dimmer_settings_find(&store) == NULL);
    CHECK(dimmer_settings_put(&store, records.bytes[0], 100) == DIMMER_SLOT_SIZE);
    CHECK(dimmer_settings_put(&store, records.bytes[0], 160) == DIMMER_SLOT_OK);
    CHECK(dimmer_settings_put(&store, records.bytes[0], 160) == DIMMER_SLOT_DOWNGRADE);
    /* The power fails at each granule: the first one holds. */
    for (i = 0; i < 20u; ++i) {
        left = i;
        CHECK(dimmer_settings_put(&store, records.bytes[1], 160) == DIMMER_SLOT_FLASH);
        found = dimmer_settings_find(&store);
        CHECK(found != NULL && found->sequence == 1u);
    }
    left = UINT32_MAX;
    CHECK(dimmer_settings_put(&store, records.bytes[1], 160) == DIMMER_SLOT_OK);
    found = dimmer_settings_find(&store);
    CHECK(found != NULL && found->sequence == 2u && found->period_ms == 5000u);
    CHECK(dimmer_settings_put(&store, records.bytes[0], 160) == DIMMER_SLOT_DOWNGRADE);
    for (i = 0; i < 160u * 8u; ++i) {
        records.bytes[1][i / 8u] ^= (uint8_t)(1u << i % 8u);
        CHECK(dimmer_settings_check(&store, records.bytes[1], 160) != DIMMER_SLOT_OK);
        records.bytes[1][i / 8u] ^= (uint8_t)(1u << i % 8u);
    }
    store.verify = refuse;
    CHECK(dimmer_settings_check(&store, records.bytes[1], 160) == DIMMER_SLOT_SIGNATURE);
    CHECK(dimmer_settings_check(&store, records.bytes[1], 256) == DIMMER_SLOT_SIGNATURE);
    store.verify = accept;
    CHECK(dimmer_settings_check(&store, records.bytes[1], 256) == DIMMER_SLOT_OK);
    memcpy(records.bytes[1] + sizeof(dimmer_settings_t), demo_key, sizeof demo_key);
    CHECK(dimmer_settings_check(&store, records.bytes[1], 256) == DIMMER_SLOT_DEVELOPMENT);
    store.verify = NULL;

    make(&f);
    f.plan = plan;
    f.model.plan = &f.plan;
    seal(&f);
    memset(&d, 0, sizeof d);
    CHECK(dimmer_settings_apply(&d, found) == DIMMER_ERR_INIT);
    CHECK(dimmer_init(&d, &f.model, arena(), 64) == DIMMER_OK);
    CHECK(dimmer_report_battery(&d, &now) == DIMMER_OK && dimmer_mode(&d) == 1);
    CHECK(dimmer_settings_apply(&d, found) == DIMMER_OK);
    CHECK(dimmer_report_battery(&d, &now) == DIMMER_OK && dimmer_mode(&d) == 0);
    CHECK(dimmer_govern(&d, &g) == DIMMER_OK);
    CHECK(dimmer_settings_apply(&d, found) == DIMMER_OK && g.plan == &found->plan);
    copy = *found;
    copy.policy.tiers[0].mode = 2;
    g.budget = found->plan.points[found->plan.count - 1u].cost;
    copy.plan.count = 1; /* a lower top, which would cut the budget */
    i = g.budget;
    CHECK(dimmer_settings_apply(&d, &copy) == DIMMER_ERR_MODE && g.plan == &found->plan && g.budget == i);
    copy.plan.count = found->plan.count;
    copy.policy = found->policy;
    copy.plan.points[0].mode = 3;
    CHECK(dimmer_settings_apply(&d, &copy) == DIMMER_ERR_MODE);
    copy.model = 1;
    CHECK(dimmer_settings_apply(&d, &copy) == DIMMER_ERR_CRC);
    copy = *found;
    copy.model = f.model.crc;
    CHECK(dimmer_settings_apply(&d, &copy) == DIMMER_OK);
    what_a_record_leaves_away_is_the_models(&d, &g, &f);
    d.mode_count ^= 4u;
    CHECK(dimmer_settings_apply(&d, &copy) == DIMMER_ERR_STATE);
    return failures;
}
