/* SPDX-License-Identifier: Apache-2.0 */
/* The engine behind dimmer.h with a driver that does as argv[1] says: one line a check that fails. */
#include "dimmer_ethos_u.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "dimmer_model.h"
#include "scales.h"

struct ethosu_driver {
    int busy;
    int resets;
};

static uint8_t arena[DIMMER_MODEL_ARENA_SIZE + DIMMER_NPU_ALIGN] __attribute__((aligned(64)));
static struct ethosu_driver the_driver;
static dimmer_t d;
static const char *scene = "ok";
static int turns, cleaned, invalidated, failures, last_size;
static uint8_t *scratch;
static const uint8_t *constants;

int ethosu_invoke_v3(struct ethosu_driver *driver, const void *payload, const int size, uint64_t *const bases,
                     const size_t *sizes, const int count, void *user);
int ethosu_invoke_async(struct ethosu_driver *driver, const void *payload, const int size,
                        uint64_t *const bases, const size_t *sizes, const int count, void *user);
int ethosu_wait(struct ethosu_driver *driver, bool block);
uint64_t ethosu_address_remap(uint64_t address, int index);

static int is(const char *name) {
    return strcmp(scene, name) == 0;
}

static void check(int holds, const char *what) {
    if (!holds) {
        printf("%s: %s\n", scene, what);
        ++failures;
    }
}

struct ethosu_driver *dimmer_board_npu(void) {
    return is("no_driver") ? NULL : &the_driver;
}

void dimmer_board_clean_dcache(const void *memory, size_t size) {
    check((uintptr_t)memory % DIMMER_NPU_ALIGN == 0u && size % DIMMER_NPU_ALIGN == 0u,
          "cleans parts of lines");
    ++cleaned;
}

void dimmer_board_invalidate_dcache(void *memory, size_t size) {
    check(memory == scratch || is("refused"), "forgets other memory than the NPU wrote");
    check(size % DIMMER_NPU_ALIGN == 0u, "forgets parts of lines");
    ++invalidated;
}

uint64_t dimmer_board_npu_address(uint64_t address) {
    return address + 0x1000u;
}

int dimmer_board_npu_wait(uint32_t turn) {
    check(turn == (uint32_t)turns, "turns do not count up");
    ++turns;
    if (is("switch")) {
        check(dimmer_set_mode(&d, 1) == DIMMER_OK, "the mode is refused");
        check((dimmer_running_mode(&d) == 0) == (last_size == 36), "the running mode changes");
    }
    if (is("brown_out")) {
        dimmer_brown_out(&d);
    }
    return is("timeout") && turns == 5;
}

/* As ethosu_deinit and ethosu_init leave it: what was running is forgotten. */
void dimmer_board_npu_reset(struct ethosu_driver *driver) {
    driver->busy = 0;
    ++driver->resets;
}

int ethosu_invoke_async(struct ethosu_driver *driver, const void *payload, const int size,
                        uint64_t *const bases, const size_t *sizes, const int count, void *user) {
    (void)user;
    check((uintptr_t)payload % 16u == 0u && memcmp(payload, "COP1", 4) == 0, "no payload");
    if (size == 36) {
        check(count == 2, "regions that no stream reads");
    } else {
        check(count == 4 && bases[2] == 0u && bases[3] % DIMMER_NPU_ALIGN == 0u && sizes[3] == 96u &&
                  memcmp((const void *)(uintptr_t)bases[3], scales, sizeof scales) == 0,
              "other scales");
    }
    check(bases[0] % 16u == 0u && sizes[0] == 64u && sizes[1] == 96u, "other regions");
    if (is("refused") || driver->busy) {
        return -1;
    }
    driver->busy = 1;
    last_size = size;
    constants = (const uint8_t *)(uintptr_t)bases[0];
    scratch = (uint8_t *)(uintptr_t)bases[1];
    return 0;
}

int ethosu_wait(struct ethosu_driver *driver, bool block) {
    int i;

    if (!driver->busy) {
        return -2;
    }
    if (is("timeout") || (!block && turns < 3)) {
        return 1;
    }
    driver->busy = 0;
    if (is("failed")) {
        return -1;
    }
    for (i = 0; i < 4; ++i) {
        /* Of mode 0 the output lies at 48, of mode 1 at 64; streams differ in length. */
        scratch[(last_size == 36 ? 48 : 64) + i] =
            (uint8_t)(scratch[last_size == 36 ? 0 : 16] + constants[i]);
    }
    return 0;
}

int ethosu_invoke_v3(struct ethosu_driver *driver, const void *payload, const int size, uint64_t *const bases,
                     const size_t *sizes, const int count, void *user) {
    const int begun = ethosu_invoke_async(driver, payload, size, bases, sizes, count, user);

    return begun != 0 ? begun : ethosu_wait(driver, true);
}

static void run(dimmer_npu_status_t wanted, int first) {
    static const uint8_t zero[4] = {0, 0, 0, 0};
    const int8_t *output;

    turns = 0;
    memset(dimmer_input(&d), 7, DIMMER_MODEL_INPUT_SIZE);
    check(dimmer_invoke(&d) == DIMMER_OK, "does not run");
    output = dimmer_output(&d);
    check(dimmer_npu_status(&d) == wanted, dimmer_npu_status_text(dimmer_npu_status(&d)));
    check(wanted == DIMMER_NPU_OK ? output[0] == first : memcmp(output, zero, 4) == 0, "another output");
    check(dimmer_input(&d)[0] == 7, "the input is gone");
}

int main(int argc, char **argv) {
    uint8_t *place = arena;

    scene = argc > 1 ? argv[1] : "ok";
    if (is("unaligned")) {
        place += 16;
    }
    check(dimmer_init(&d, &dimmer_model, place, DIMMER_MODEL_ARENA_SIZE) == DIMMER_OK, "no model");
    check(dimmer_npu_status(&d) == DIMMER_NPU_NONE, "a status before the first inference");
    check(ethosu_address_remap(0x20000000u, 1) == 0x20001000u, "addresses are not the board's");
    if (is("unaligned")) {
        run(DIMMER_NPU_ARENA, 0);
    } else if (is("no_driver") || is("refused")) {
        run(DIMMER_NPU_REFUSED, 0);
    } else if (is("failed")) {
        run(DIMMER_NPU_FAILED, 0);
        check(the_driver.resets == 1, "the NPU is not reset");
    } else if (is("timeout")) {
        run(DIMMER_NPU_TIMEOUT, 0);
        check(turns == 5 && the_driver.resets == 1, "the NPU is not reset after its time");
        scene = "ok";
        run(DIMMER_NPU_OK, 7 + 1);
    } else {
        run(DIMMER_NPU_OK, 7 + 1);
        check(cleaned == 1 && invalidated == 1, "the cache is not kept up");
        if (is("switch") || is("brown_out")) {
            check(last_size == 36, "the mode changed within an inference");
            run(DIMMER_NPU_OK, 7 + 1);
            check(last_size != 36, "the mode did not change with the next inference");
        }
    }
    return failures != 0;
}
