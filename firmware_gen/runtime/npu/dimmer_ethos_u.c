/* SPDX-License-Identifier: Apache-2.0 */
/* The kernels of a model for Ethos-U. With -DDIMMER_ETHOSU_DRIVER it takes the declarations of Arm's
 * driver from its own header, else those below, which are the same since its release 23.11. */
#include "dimmer_ethos_u.h"

#include <stdbool.h>
#include <string.h>

#include "dimmer_assert.h"

#if defined(DIMMER_ETHOSU_DRIVER)
#include "ethosu_driver.h"
#else
int ethosu_invoke_v3(struct ethosu_driver *driver, const void *payload, const int payload_size,
                     uint64_t *const bases, const size_t *sizes, const int count, void *user);
int ethosu_invoke_async(struct ethosu_driver *driver, const void *payload, const int payload_size,
                        uint64_t *const bases, const size_t *sizes, const int count, void *user);
int ethosu_wait(struct ethosu_driver *driver, bool block);
#endif

#define STILL_RUNNING 1

/* What the arena begins with: a line of the data cache, which the NPU never sees. */
typedef struct {
    uint32_t mark;
    uint32_t status;
} state_t;

#define MARK 0x55504E44u /* "DNPU" */

static dimmer_npu_status_t run(struct ethosu_driver *driver, const void *payload, int size, uint64_t *bases,
                               const size_t *sizes, int count) {
#if defined(DIMMER_NPU_BLOCKS)
    /* The driver sleeps by itself; its semaphore has the timeout. */
    return ethosu_invoke_v3(driver, payload, size, bases, sizes, count, NULL) == 0 ? DIMMER_NPU_OK
                                                                                   : DIMMER_NPU_FAILED;
#else
    uint32_t turn = 0;
    int state;

    if (ethosu_invoke_async(driver, payload, size, bases, sizes, count, NULL) != 0) {
        return DIMMER_NPU_REFUSED;
    }
    while ((state = ethosu_wait(driver, false)) == STILL_RUNNING) {
        if (dimmer_board_npu_wait(turn) != 0) {
            return DIMMER_NPU_TIMEOUT;
        }
        ++turn;
    }
    return state == 0 ? DIMMER_NPU_OK : DIMMER_NPU_FAILED;
#endif
}

/* Makes of packed scales those that the NPU reads: firmware_gen/npu/scales.py has the format. */
static void unpack(const uint8_t *from, uint32_t count, uint32_t first_shift, uint8_t *to) {
    for (; count > 0u; --count, from += 7, to += 10) {
        const uint32_t low =
            from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
        const uint32_t high = from[4] | (uint32_t)from[5] << 8 | (uint32_t)from[6] << 16;
        const uint32_t sign = (high >> 19 & 1u) != 0u ? 0xFFu : 0u;
        const uint32_t bias = low >> 30 | (high & 0xFFFFFu) << 2 | (sign & 0xC0u) << 16;
        const uint32_t code = high >> 20;
        const uint32_t scale = code == 15u ? 0u : (low & 0x3FFFFFFFu) | 0x40000000u;

        to[0] = (uint8_t)bias;
        to[1] = (uint8_t)(bias >> 8);
        to[2] = (uint8_t)(bias >> 16);
        to[3] = (uint8_t)sign;
        to[4] = (uint8_t)sign;
        to[5] = (uint8_t)scale;
        to[6] = (uint8_t)(scale >> 8);
        to[7] = (uint8_t)(scale >> 16);
        to[8] = (uint8_t)(scale >> 24);
        to[9] = (uint8_t)(code == 15u ? 0u : first_shift + code);
    }
}

static dimmer_npu_status_t infer(const dimmer_model_t *model, const dimmer_ethos_u_t *r, uint8_t *arena) {
    struct ethosu_driver *const driver = dimmer_board_npu();
    uint8_t *const scratch = arena + r->scratch;
    uint64_t bases[DIMMER_NPU_REGIONS] = {0};
    size_t sizes[DIMMER_NPU_REGIONS] = {0};
    uint8_t last = r->constants_region > r->scratch_region ? r->constants_region : r->scratch_region;
    dimmer_npu_status_t status;

    if ((uintptr_t)arena % DIMMER_NPU_ALIGN != 0u) {
        return DIMMER_NPU_ARENA;
    }
    if (r->packed_count > 0u && r->packed_region > last) {
        last = r->packed_region;
    }
    if (driver == NULL || last >= DIMMER_NPU_REGIONS) {
        return DIMMER_NPU_REFUSED;
    }
    if (r->place == DIMMER_NPU_WHOLE) {
        memcpy(scratch + r->input, arena + model->dims.input.offset, model->dims.input.size);
    }
    bases[r->constants_region] = (uintptr_t)(model->weights + r->constants);
    sizes[r->constants_region] = r->constants_size;
    bases[r->scratch_region] = (uintptr_t)scratch;
    sizes[r->scratch_region] = r->scratch_size;
    if (r->packed_count > 0u) {
        uint8_t *const unpacked = arena + r->unpacked;
        const uint32_t size = (10u * r->packed_count + DIMMER_NPU_ALIGN - 1u) & ~(DIMMER_NPU_ALIGN - 1u);

        unpack((const uint8_t *)(model->weights + r->packed), r->packed_count, r->packed_shift, unpacked);
        bases[r->packed_region] = (uintptr_t)unpacked;
        sizes[r->packed_region] = size;
        dimmer_board_clean_dcache(unpacked, size);
    }
    dimmer_board_clean_dcache(scratch, r->scratch_size);
    status = run(driver, model->weights + r->stream, (int)r->stream_size, bases, sizes, last + 1);
    if (status == DIMMER_NPU_TIMEOUT || status == DIMMER_NPU_FAILED) {
        dimmer_board_npu_reset(driver);
    }
    dimmer_board_invalidate_dcache(scratch, r->scratch_size);
    if (status == DIMMER_NPU_OK && r->place == DIMMER_NPU_WHOLE) {
        memcpy(arena + model->dims.output.offset, scratch + r->output, model->dims.output.size);
    }
    return status;
}

static dimmer_npu_status_t status_in(const uint8_t *arena) {
    state_t state;

    memcpy(&state, arena, sizeof state);
    return state.mark == MARK && state.status <= DIMMER_NPU_TIMEOUT ? (dimmer_npu_status_t)state.status
                                                                    : DIMMER_NPU_NONE;
}

void dimmer_ethos_u(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    const dimmer_ethos_u_t *r = (const dimmer_ethos_u_t *)record;
    state_t state = {MARK, DIMMER_NPU_NONE};

    DIMMER_ASSERT(r->scratch % DIMMER_NPU_ALIGN == 0u);
    if (r->place == DIMMER_NPU_LATER && status_in(arena) != DIMMER_NPU_OK) {
        return;
    }
    if (r->place == DIMMER_NPU_WHOLE) {
        memset(arena + model->dims.output.offset, 0, model->dims.output.size);
    }
    state.status = (uint32_t)infer(model, r, arena);
    memcpy(arena, &state, sizeof state);
}

void dimmer_ethos_u_end(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    const dimmer_ethos_u_end_t *r = (const dimmer_ethos_u_end_t *)record;

    (void)model;
    if (status_in(arena) == DIMMER_NPU_OK) {
        memcpy(arena + r->target, arena + r->source, r->size);
    } else {
        memset(arena + r->target, 0, r->size);
    }
}

dimmer_npu_status_t dimmer_npu_status(const dimmer_t *d) {
    DIMMER_ASSERT(d != NULL);
    return d->model != NULL ? status_in(d->arena) : DIMMER_NPU_NONE;
}

const char *dimmer_npu_status_text(dimmer_npu_status_t status) {
    switch (status) {
    case DIMMER_NPU_OK:
        return "all is well";
    case DIMMER_NPU_NONE:
        return "no inference has run yet";
    case DIMMER_NPU_ARENA:
        return "the arena must start at a multiple of DIMMER_NPU_ALIGN bytes";
    case DIMMER_NPU_REFUSED:
        return "the NPU's driver took no command: is this the NPU that the model is for?";
    case DIMMER_NPU_FAILED:
        return "the NPU stopped with an error";
    case DIMMER_NPU_TIMEOUT:
        return "the NPU did not end in time and was reset";
    default:
        return "a status that no function returns";
    }
}
