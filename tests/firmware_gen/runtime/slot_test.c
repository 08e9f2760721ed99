/* SPDX-License-Identifier: Apache-2.0 */
/* Slots on a simulated flash: erase blocks, granules, and writes that are torn where the power fails.
 *
 *     slot_test COUNT SEED
 *
 * First every single write of one update is the last one, then COUNT updates of one device lose their power
 * at a random write, and the starts after them, too. */
#include "slot_fixture.h"

static dimmer_t network;
static dimmer_started_t started;

static dimmer_slot_status_t start(void) {
    steps = 0;
    memset(&memory, 0, sizeof memory);
    memset(&network, 0xA5, sizeof network);
    return dimmer_store_start(&store, &network, arena(), &started);
}

/* The letter of the model that runs; 0: none. */
static char running(void) {
    int8_t *input = dimmer_input(&network);

    if (input == NULL) {
        return 0;
    }
    *input = 0;
    return (char)(dimmer_invoke(&network) == DIMMER_OK ? *dimmer_output(&network) : 0);
}

static dimmer_slot_status_t update(const slot_image_t *made, uint32_t slot) {
    const uint32_t size = (uint32_t)sizeof(image_t) + (0u - (uint32_t)sizeof(image_t)) % GRANULE;
    dimmer_slot_status_t status = dimmer_store_erase(&store, slot);

    if (status == DIMMER_SLOT_OK) {
        status = dimmer_store_write(&store, slot, 0, made->bytes, size);
    }
    return status == DIMMER_SLOT_OK ? dimmer_store_finish(&store, slot) : status;
}

static void new_device(char letter) {
    static slot_image_t first;

    memset(&flash, 0xFF, sizeof flash);
    last_step = 0;
    link_image(&first, 0, letter);
    sign(&first, 1, 0);
    memcpy(flash.bytes, first.bytes, sizeof first);
    CHECK(start() == DIMMER_SLOT_OK && started.slot == 0 && started.fresh);
    CHECK(*dimmer_output(&network) == 0 && running() == letter); /* nor of the known answers */
    CHECK(start() == DIMMER_SLOT_OK && started.slot == 0 && !started.fresh && running() == letter);
}

/* A state that the refused model left would be one for the older model. */
static int arena_is_clear(void) {
    const uint8_t *bytes = arena();
    uint32_t i;

    for (i = 0; i < 64u; ++i) {
        if (bytes[i] != 0u) {
            return 0;
        }
    }
    return 1;
}

#define REFUSED(status, change)                                                                              \
    do {                                                                                                     \
        link_image(&made, 1, 'n');                                                                           \
        change;                                                                                              \
        CHECK(update(&made, 1) == (status));                                                                 \
        CHECK(start() == DIMMER_SLOT_OK && started.slot == 0 && running() == 'o');                           \
    } while (0)

static void what_is_wrong_is_refused_with_its_reason(void) {
    static slot_image_t made;
    uint32_t turn;

    new_device('o');
    REFUSED(DIMMER_SLOT_EMPTY, sign(&made, 1, 0); made.bytes[0] ^= 1);
    REFUSED(DIMMER_SLOT_SIZE, sign(&made, 1, 0); put(made.image.header + 12, SLOT, 4));
    REFUSED(DIMMER_SLOT_SIZE, sign(&made, 1, 0); memset(made.image.tlvs, 0xFF, sizeof made.image.tlvs));
    REFUSED(DIMMER_SLOT_HASH, sign(&made, 1, 0); made.image.model.weights[3] ^= 16);
    REFUSED(DIMMER_SLOT_SIGNATURE, sign(&made, 1, 0); made.image.tlvs[4 + 8 + 4 + 36 + 36 + 4 + 9] ^= 1);
    REFUSED(DIMMER_SLOT_DEVELOPMENT, sign(&made, 1, DEVELOPMENT));
    REFUSED(DIMMER_SLOT_DEVELOPMENT, sign(&made, 1, FORGED));
    REFUSED(DIMMER_SLOT_ADDRESS, link_image(&made, 0, 'n'); sign(&made, 1, 0));
    REFUSED(DIMMER_SLOT_ABI, made.image.blob.abi = DIMMER_ABI - 1; sign(&made, 1, 0));
    REFUSED(DIMMER_SLOT_CORE, made.image.blob.core |= 4u; sign(&made, 1, 0));
    REFUSED(DIMMER_SLOT_CORE, made.image.blob.core ^= 3u << 24; sign(&made, 1, 0));
    REFUSED(DIMMER_SLOT_ARENA, made.image.blob.arena_size = 65; sign(&made, 1, 0));
    REFUSED(DIMMER_SLOT_PROGRAM, made.image.blob.program = 6; sign(&made, 1, 0));
    REFUSED(DIMMER_SLOT_DOWNGRADE, sign(&made, 0, 0));
    /* These are seen when they are tried, once the log has room for it. */
    for (turn = 0; turn < 20u; ++turn) {
        link_image(&made, 1, 'n');
        made.image.answers[9] ^= 1;
        sign(&made, 1, 0);
        CHECK(update(&made, 1) == DIMMER_SLOT_OK);
        CHECK(start() == DIMMER_SLOT_OK && started.slot == 0);
        CHECK(started.why[1] == DIMMER_SLOT_ANSWERS && arena_is_clear() && running() == 'o');
        CHECK(start() == DIMMER_SLOT_OK && started.why[1] == DIMMER_SLOT_OK);
        link_image(&made, 1, 'n');
        made.image.model.model.crc ^= 1;
        sign(&made, 1, 0);
        CHECK(update(&made, 1) == DIMMER_SLOT_OK);
        CHECK(start() == DIMMER_SLOT_OK && started.why[1] == DIMMER_SLOT_MODEL && running() == 'o');
    }
    /* Damage of the confirmed one: the one before it runs, and without that none, and says so. */
    link_image(&made, 1, 'n');
    sign(&made, 2, 0);
    CHECK(update(&made, 1) == DIMMER_SLOT_OK);
    CHECK(start() == DIMMER_SLOT_OK && started.fresh && running() == 'n');
    CHECK(dimmer_store_free(&started) == 0u);
    flash.bytes[SLOT + 300] ^= 4;
    CHECK(start() == DIMMER_SLOT_OK && started.slot == 0 && running() == 'o');
    CHECK(started.why[1] == DIMMER_SLOT_HASH);
    flash.bytes[300] ^= 4;
    CHECK(start() == DIMMER_SLOT_NONE && started.slot == -1 && running() == 0);
    CHECK(started.why[0] == DIMMER_SLOT_HASH && started.why[1] == DIMMER_SLOT_HASH);
    CHECK(dimmer_invoke(&network) == DIMMER_ERR_INIT);
}

/* An image that the log does not know is no way around its floor. */
static void an_older_image_without_a_note_stays_out(void) {
    static slot_image_t made;
    const uint32_t size = (uint32_t)sizeof(image_t) + (0u - (uint32_t)sizeof(image_t)) % GRANULE;
    static const uint32_t counters[2] = {3, 5};
    uint32_t i;

    for (i = 0; i < 2u; ++i) {
        memset(&flash, 0xFF, sizeof flash);
        link_image(&made, 0, 'o');
        sign(&made, 5, 0);
        memcpy(flash.bytes, made.bytes, sizeof made);
        CHECK(start() == DIMMER_SLOT_OK && started.slot == 0 && started.fresh);
        link_image(&made, 1, 'n');
        sign(&made, counters[i], 0);
        CHECK(dimmer_store_erase(&store, 1) == DIMMER_SLOT_OK);
        CHECK(dimmer_store_write(&store, 1, 0, made.bytes, size) == DIMMER_SLOT_OK);
        flash.bytes[300] ^= 4;
        if (counters[i] == 5u) {
            CHECK(start() == DIMMER_SLOT_OK && started.slot == 1 && running() == 'n');
        } else {
            CHECK(start() == DIMMER_SLOT_NONE && running() == 0);
            CHECK(started.why[0] == DIMMER_SLOT_HASH && started.why[1] == DIMMER_SLOT_DOWNGRADE);
        }
    }
}

/* Of two that were written before the first start, as where a device is provisioned, the newer one stays. */
static void of_two_that_are_new_the_older_is_not_confirmed_after_the_newer(void) {
    static slot_image_t made;
    uint32_t newer;
    uint32_t turn;

    for (newer = 0; newer < 2u; ++newer) {
        memset(&flash, 0xFF, sizeof flash);
        link_image(&made, newer, 'n');
        sign(&made, 9, RELEASE);
        CHECK(update(&made, newer) == DIMMER_SLOT_OK);
        link_image(&made, 1u - newer, 'o');
        sign(&made, 3, RELEASE);
        CHECK(update(&made, 1u - newer) == DIMMER_SLOT_OK);
        for (turn = 0; turn < 4u; ++turn) {
            CHECK(start() == DIMMER_SLOT_OK);
            if (newer == 0u || turn != 0u) {
                CHECK(started.slot == (int8_t)newer && running() == 'n');
            }
            CHECK(started.why[1u - newer] ==
                  (newer == 0u && turn == 1u ? DIMMER_SLOT_DOWNGRADE : DIMMER_SLOT_OK));
        }
    }
}

/* An update that ends at `step`; then starts, of which the first `losses` end somewhere, too.
 * Returns the letter of the model that runs at last. */
static char interrupted(const slot_image_t *made, uint32_t slot, uint32_t step, volatile uint32_t losses) {
    steps = 0;
    last_step = step;
    if (setjmp(power) == 0) {
        (void)update(made, slot);
    }
    last_step = losses != 0u ? 1u + drawn(16) : 0u;
    if (setjmp(power) != 0) {
        losses = losses != 0u ? losses - 1u : 0u;
        last_step = losses != 0u ? 1u + drawn(16) : 0u;
    }
    if (start() != DIMMER_SLOT_OK) {
        return 0;
    }
    last_step = 0;
    return running();
}

int main(int argc, char **argv) {
    const uint32_t count = argc > 1 ? (uint32_t)atoi(argv[1]) : 200u;
    static slot_image_t made;
    uint32_t of_update;
    uint32_t ran_new = 0;
    uint32_t ran_old = 0;
    uint32_t i;
    char letter = 'o';
    uint32_t counter = 1;

    randomness = argc > 2 ? (uint32_t)atoi(argv[2]) : 1u;
    what_is_wrong_is_refused_with_its_reason();
    an_older_image_without_a_note_stays_out();
    of_two_that_are_new_the_older_is_not_confirmed_after_the_newer();
    new_device('o');
    link_image(&made, 1, 'n');
    sign(&made, 2, 0);
    steps = 0;
    CHECK(update(&made, 1) == DIMMER_SLOT_OK);
    of_update = steps;
    for (i = 1; i <= of_update; ++i) {
        char runs;

        new_device('o');
        link_image(&made, 1, 'n');
        sign(&made, 2, 0);
        runs = interrupted(&made, 1, i, 0);
        if (runs != 'o' && !(runs == 'n' && i == of_update)) {
            printf("write %u of %u was the last: %d runs\n", (unsigned)i, (unsigned)of_update, runs);
            failures = 1;
        }
    }
    /* One device, from update to update. */
    new_device(letter);
    for (i = 0; i < count; ++i) {
        const char next = (char)('a' + i % 26u);
        const uint32_t slot = dimmer_store_free(&started);
        const uint32_t bad = drawn(4);
        uint32_t step;
        char runs;

        link_image(&made, slot, next);
        if (bad == 0u) {
            made.image.answers[0] ^= 1;
        }
        sign(&made, counter + 1u, 0);
        /* Half of them in the last writes, those of the log, which makes a new block now and then. */
        step = drawn(2) != 0u ? 1u + drawn(of_update) : of_update - 8u + drawn(56);
        runs = interrupted(&made, slot, step, drawn(DIMMER_SLOT_TRIES));
        if (runs != letter && (runs != next || bad == 0u)) {
            printf("update %u: %d runs, neither %d nor %d\n", (unsigned)i, runs, letter, next);
            failures = 1;
            break;
        }
        if (runs == next) {
            ++ran_new;
            ++counter;
        } else {
            ++ran_old;
        }
        letter = runs;
    }
    printf("%u writes of an update, %u updates that lost their power: the new model ran %u times, the old "
           "one %u\n",
           (unsigned)of_update, (unsigned)count, (unsigned)ran_new, (unsigned)ran_old);
    return failures || (count >= 100u && (ran_new == 0u || ran_old == 0u));
}
