/* SPDX-License-Identifier: Apache-2.0 */
/* What test_device.py calls on a Cortex-M4 in unicorn, whose flash controller is three registers. */
#include "dimmer_slot.h"
#if defined(DIMMER_SIGNED)
#include "dimmer_keys.h"
#endif

#define REGISTER(number) (*(volatile uint32_t *)(0x40000000u + 4u * (number)))

int start(void);
int install(const uint8_t *image, uint32_t size, uint32_t slot);
int answer(void);
int version(void);
void done(void);
int main(void);

static uint8_t arena[ARENA_BYTES] __attribute__((aligned(DIMMER_ARENA_ALIGN)));
static dimmer_t network;
static dimmer_started_t started;

static int erase(void *user, const uint8_t *address, uint32_t size) {
    (void)user;
    REGISTER(0) = (uint32_t)(uintptr_t)address;
    REGISTER(1) = size;
    REGISTER(3) = 1u;
    return 0;
}

static int program(void *user, const uint8_t *address, const uint8_t *data, uint32_t size) {
    (void)user;
    REGISTER(0) = (uint32_t)(uintptr_t)address;
    REGISTER(1) = size;
    REGISTER(2) = (uint32_t)(uintptr_t)data;
    REGISTER(3) = 2u;
    return 0;
}

#if defined(DIMMER_SIGNED)
static const verifier_keys_t trusted = {trusted_keys, 1u};
#endif
static const dimmer_flash_t flash = {erase, program, NULL, 8};
static const dimmer_store_t store = {
    .flash = &flash,
    .slots = {(const uint8_t *)SLOT_A, (const uint8_t *)SLOT_B},
    .slot_size = SLOT_BYTES,
    .log = {(const uint8_t *)LOG_A, (const uint8_t *)LOG_B},
    .log_size = LOG_BYTES,
    .core = DIMMER_CORE,
    .program = 1,
    .arena_size = sizeof arena,
#if defined(DIMMER_SIGNED)
    .verify = verifier_check,
    .verify_user = (void *)(uintptr_t)&trusted,
#endif
};

__attribute__((noinline)) int start(void) {
    const dimmer_slot_status_t status = dimmer_store_start(&store, &network, arena, &started);

    return status == DIMMER_SLOT_OK ? started.slot : (int)status;
}

__attribute__((noinline)) int install(const uint8_t *image, uint32_t size, uint32_t slot) {
    dimmer_slot_status_t status = dimmer_store_erase(&store, slot);

    if (status == DIMMER_SLOT_OK) {
        status = dimmer_store_write(&store, slot, 0u, image, size);
    }
    return status == DIMMER_SLOT_OK ? dimmer_store_finish(&store, slot) : status;
}

/* Whether the model that runs gives its known answers. */
__attribute__((noinline)) int answer(void) {
    const dimmer_blob_t *blob = started.image.blob;
    const dimmer_dims_t *n = &blob->model->dims;
    uint32_t mode;
    uint32_t i;

    for (mode = 0; mode < n->mode_count; ++mode) {
        int8_t *input = dimmer_input(&network);

        if (input == NULL || dimmer_set_mode(&network, (dimmer_mode_id_t)mode) != DIMMER_OK) {
            return 0;
        }
        for (i = 0; i < n->input.size; ++i) {
            input[i] = blob->known_input[i];
        }
        if (dimmer_invoke(&network) != DIMMER_OK) {
            return 0;
        }
        for (i = 0; i < n->output.size; ++i) {
            if (dimmer_output(&network)[i] != blob->known_outputs[mode * n->output.size + i]) {
                return 0;
            }
        }
    }
    return 1;
}

__attribute__((noinline)) int version(void) {
    return (int)started.image.version;
}

#if defined(DIMMER_SIGNED)
int check_signature(const uint8_t *key, const uint8_t *digest, const uint8_t *signature);

__attribute__((noinline, used)) int check_signature(const uint8_t *key, const uint8_t *digest,
                                                    const uint8_t *signature) {
    return verifier_check((void *)(uintptr_t)&trusted, key, digest, signature, 64u);
}
#endif

__attribute__((noinline)) void done(void) {
    for (;;) {
    }
}

int main(void) {
    (void)start();
    (void)install(arena, (uint32_t)version(), (uint32_t)answer());
#if defined(DIMMER_SIGNED)
    (void)check_signature(arena, arena, arena);
#endif
    done();
    return 0;
}
