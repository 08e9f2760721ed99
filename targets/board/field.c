/* SPDX-License-Identifier: Apache-2.0 */
/* A program whose model lies in a slot: it starts the newest one that holds, says which, classifies, and
 * checks the model bit by bit meanwhile. Your flash's driver goes where the comment says; without one nothing
 * is confirmed, and a model that was confirmed runs all the same. With DIMMER_SIGNED and verifier.c it takes
 * signed images alone. docs/field.md has the steps. */
#include <string.h>

#include "board.h"
#include "dimmer_slot.h"
#include "text.h"

#if defined(DIMMER_SIGNED) /* dimmer_keys.h is what `dimmer slot --keys` writes */
#include "dimmer_keys.h"
#endif

#if !defined(DIMMER_SLOT_A)
#error                                                                                                       \
    "say where the slots lie: DIMMER_SLOT_A, DIMMER_SLOT_B, DIMMER_SLOT_BYTES, DIMMER_LOG_A, DIMMER_LOG_B, DIMMER_LOG_BYTES, DIMMER_ARENA_BYTES"
#endif

#define AT(address) ((const uint8_t *)(uintptr_t)(address))

int main(int argc, char **argv);
int board_flash_erase(void *user, const uint8_t *address, uint32_t size);
int board_flash_program(void *user, const uint8_t *address, const uint8_t *data, uint32_t size);

/* Your flash's driver stands here. */
__attribute__((weak)) int board_flash_erase(void *user, const uint8_t *address, uint32_t size) {
    (void)user;
    (void)address;
    (void)size;
    return 1;
}

__attribute__((weak)) int board_flash_program(void *user, const uint8_t *address, const uint8_t *data,
                                              uint32_t size) {
    (void)user;
    (void)address;
    (void)data;
    (void)size;
    return 1;
}

static uint8_t arena[DIMMER_ARENA_BYTES] __attribute__((aligned(DIMMER_ARENA_ALIGN)));
static dimmer_t network;
static dimmer_started_t started;
static text_t text;

#if defined(DIMMER_SIGNED)
static const verifier_keys_t trusted = {trusted_keys, sizeof trusted_keys / sizeof trusted_keys[0]};
#endif

static const dimmer_flash_t flash = {board_flash_erase, board_flash_program, NULL, 8};
static const dimmer_store_t store = {
    .flash = &flash,
    .slots = {AT(DIMMER_SLOT_A), AT(DIMMER_SLOT_B)},
    .slot_size = DIMMER_SLOT_BYTES,
    .log = {AT(DIMMER_LOG_A), AT(DIMMER_LOG_B)},
    .log_size = DIMMER_LOG_BYTES,
    .core = DIMMER_CORE,
    .program = 1,
    .arena_size = sizeof arena,
#if defined(DIMMER_SIGNED)
    .verify = verifier_check,
    .verify_user = (void *)(uintptr_t)&trusted,
#endif
};

static void say_start(dimmer_slot_status_t status) {
    uint32_t slot;

    text_begin(&text, "model");
    text_signed(&text, "slot", started.slot);
    text_number(&text, "version", started.image.version);
    text_word(&text, "fresh", started.fresh ? "true" : "false");
    text_string(&text, "status", dimmer_slot_text(status));
    text_end(&text);
    for (slot = 0; slot < 2u; ++slot) {
        text_begin(&text, "slot");
        text_number(&text, "slot", slot);
        text_string(&text, "status", dimmer_slot_text(started.why[slot]));
        text_end(&text);
    }
}

int main(int argc, char **argv) {
    const dimmer_slot_status_t status = dimmer_store_start(&store, &network, arena, &started);
    dimmer_status_t runs = status == DIMMER_SLOT_OK ? DIMMER_OK : DIMMER_ERR_INIT;

    (void)argc;
    (void)argv;
    say_start(status);
    while (runs == DIMMER_OK) {
        /* Your sensor stands here. */
        memcpy(dimmer_input(&network), started.image.blob->known_input,
               started.image.blob->model->dims.input.size);
        runs = dimmer_invoke(&network);
        if (runs == DIMMER_OK) {
            runs = dimmer_check(&network, 1024u);
        }
        text_begin(&text, "inference");
        text_string(&text, "status", dimmer_status_text(runs));
        text_signed(&text, "first", runs == DIMMER_OK ? dimmer_output(&network)[0] : 0);
        text_end(&text);
        board_sleep(10000u);
    }
    for (;;) { /* without a model: what the device does then is yours */
        board_sleep(10000u);
    }
}
