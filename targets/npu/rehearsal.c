/* SPDX-License-Identifier: Apache-2.0 */
/* A stand-in for Arm's driver and for a board's own functions, so that a firmware for an NPU runs where there
 * is none: it checks what the driver would be given, and answers with what is known of the known input
 * (npu_rehearsal.h is written with the model). It computes nothing: what a stream computes, the model
 * of the NPU says (docs/npu.md). What the core runs between two streams is checked by it: the second is given
 * what the known answers say, or is refused. */
#include "dimmer_ethos_u.h"

#include <stdbool.h>
#include <string.h>

#include "dimmer_known_answers.h"
#include "dimmer_model.h"
#include "npu_rehearsal.h"

#define TURNS 3 /* that an inference is said to take */

struct ethosu_driver {
    const rehearsed_t *job;
    int turns;
    uint8_t *scratch;
    const void *cleaned;
};

static struct ethosu_driver the_driver;

int ethosu_invoke_async(struct ethosu_driver *driver, const void *payload, const int payload_size,
                        uint64_t *const bases, const size_t *sizes, const int count, void *user);
int ethosu_invoke_v3(struct ethosu_driver *driver, const void *payload, const int payload_size,
                     uint64_t *const bases, const size_t *sizes, const int count, void *user);
int ethosu_wait(struct ethosu_driver *driver, bool block);

struct ethosu_driver *dimmer_board_npu(void) {
    return &the_driver;
}

void dimmer_board_clean_dcache(const void *memory, size_t size) {
    (void)size;
    the_driver.cleaned = memory;
}

void dimmer_board_invalidate_dcache(void *memory, size_t size) {
    (void)memory;
    (void)size;
}

uint64_t dimmer_board_npu_address(uint64_t address) {
    return address;
}

int dimmer_board_npu_wait(uint32_t turn) {
    return turn > 10u * TURNS;
}

/* As ethosu_deinit and ethosu_init leave it. */
void dimmer_board_npu_reset(struct ethosu_driver *driver) {
    driver->job = NULL;
}

static const dimmer_ethos_u_t *record_of(const rehearsed_t *stream) {
    return (const dimmer_ethos_u_t *)dimmer_model.kernels[0].records + stream->record;
}

/* Whether the scratch holds what a stream is to read. */
static int is_given(const rehearsed_t *stream, const uint8_t *scratch) {
    uint32_t i;

    for (i = 0; i < stream->input_count; ++i) {
        const rehearsed_end_t *end = &rehearsed_ends[stream->first_end + i];

        if (memcmp(scratch + end->offset, end->bytes, end->size) != 0) {
            return 0;
        }
    }
    return 1;
}

/* Returns the stream of a payload that reads what lies in the scratch; null where there is none. */
static const rehearsed_t *stream_of(const void *payload, int size, const uint8_t *scratch) {
    uint32_t i;

    for (i = 0; i < sizeof rehearsed / sizeof rehearsed[0]; ++i) {
        const dimmer_ethos_u_t *r = record_of(&rehearsed[i]);

        if (payload == (const void *)(dimmer_model.weights + r->stream) && size == (int)r->stream_size &&
            is_given(&rehearsed[i], scratch)) {
            return &rehearsed[i];
        }
    }
    return NULL;
}

int ethosu_invoke_async(struct ethosu_driver *driver, const void *payload, const int payload_size,
                        uint64_t *const bases, const size_t *sizes, const int count, void *user) {
    const uint8_t *scratch = (const uint8_t *)driver->cleaned;
    const rehearsed_t *stream = scratch == NULL ? NULL : stream_of(payload, payload_size, scratch);
    const dimmer_ethos_u_t *r;
    int i;

    (void)user;
    if (driver->job != NULL || stream == NULL || (uintptr_t)payload % 16u != 0u ||
        memcmp(payload, "COP1", 4) != 0) {
        return -1;
    }
    r = record_of(stream);
    if (count <= r->scratch_region || bases[r->constants_region] % 16u != 0u ||
        bases[r->scratch_region] % DIMMER_NPU_ALIGN != 0u ||
        sizes[r->scratch_region] % DIMMER_NPU_ALIGN != 0u) {
        return -1;
    }
    for (i = 0; i < count; ++i) {
        const int is_packed = r->packed_count > 0u && i == r->packed_region;

        if (i != r->constants_region && i != r->scratch_region && !is_packed && bases[i] != 0u) {
            return -1;
        }
        if (is_packed && (bases[i] % DIMMER_NPU_ALIGN != 0u || sizes[i] < 10u * r->packed_count ||
                          bases[i] < bases[r->scratch_region] + sizes[r->scratch_region])) {
            return -1;
        }
    }
    driver->scratch = (uint8_t *)(uintptr_t)bases[r->scratch_region];
    if (driver->cleaned != driver->scratch) {
        return -1;
    }
    driver->job = stream;
    driver->turns = TURNS;
    return 0;
}

int ethosu_wait(struct ethosu_driver *driver, bool block) {
    const rehearsed_t *stream = driver->job;
    uint32_t i;

    if (stream == NULL) {
        return -2;
    }
    if (!block && driver->turns > 0) {
        --driver->turns;
        return 1;
    }
    memset(driver->scratch, 0x5A, record_of(stream)->scratch_size);
    for (i = stream->input_count; i < stream->end_count; ++i) {
        const rehearsed_end_t *end = &rehearsed_ends[stream->first_end + i];

        memcpy(driver->scratch + end->offset, end->bytes, end->size);
    }
    driver->job = NULL;
    return 0;
}

int ethosu_invoke_v3(struct ethosu_driver *driver, const void *payload, const int payload_size,
                     uint64_t *const bases, const size_t *sizes, const int count, void *user) {
    const int begun = ethosu_invoke_async(driver, payload, payload_size, bases, sizes, count, user);

    return begun != 0 ? begun : ethosu_wait(driver, true);
}
