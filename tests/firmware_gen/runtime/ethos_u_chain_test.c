/* SPDX-License-Identifier: Apache-2.0 */
/* A mode of stream, core, stream with a driver that adds: one line a check that fails. argv[1]: the run of
 * the driver that fails, from 1 on; 0 for none. */
#include "dimmer_ethos_u.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dimmer_model.h"

struct ethosu_driver {
    int busy;
};

static uint8_t arena[DIMMER_MODEL_ARENA_SIZE] __attribute__((aligned(32)));
static struct ethosu_driver the_driver;
static dimmer_t d;
static int runs, fails, cleaned, invalidated, failures, is_second;
static uint8_t *scratch;

int ethosu_invoke_v3(struct ethosu_driver *driver, const void *payload, const int size, uint64_t *const bases,
                     const size_t *sizes, const int count, void *user);
int ethosu_invoke_async(struct ethosu_driver *driver, const void *payload, const int size,
                        uint64_t *const bases, const size_t *sizes, const int count, void *user);
int ethosu_wait(struct ethosu_driver *driver, bool block);

static void check(int holds, const char *what) {
    if (!holds) {
        printf("%d: %s\n", fails, what);
        ++failures;
    }
}

struct ethosu_driver *dimmer_board_npu(void) {
    return &the_driver;
}

void dimmer_board_clean_dcache(const void *memory, size_t size) {
    scratch = (uint8_t *)(uintptr_t)memory;
    check((uintptr_t)memory % DIMMER_NPU_ALIGN == 0u && size % DIMMER_NPU_ALIGN == 0u,
          "cleans parts of lines");
    ++cleaned;
}

void dimmer_board_invalidate_dcache(void *memory, size_t size) {
    check(memory == scratch && size % DIMMER_NPU_ALIGN == 0u, "forgets other memory than the NPU wrote");
    ++invalidated;
}

uint64_t dimmer_board_npu_address(uint64_t address) {
    return address;
}

int dimmer_board_npu_wait(uint32_t turn) {
    return turn > 5u;
}

void dimmer_board_npu_reset(struct ethosu_driver *driver) {
    driver->busy = 0;
}

int ethosu_invoke_async(struct ethosu_driver *driver, const void *payload, const int size,
                        uint64_t *const bases, const size_t *sizes, const int count, void *user) {
    (void)payload;
    (void)sizes;
    (void)count;
    (void)user;
    check((uint8_t *)(uintptr_t)bases[1] == scratch, "runs in memory that nobody cleaned");
    driver->busy = 1;
    is_second = size != 36;
    ++runs;
    return 0;
}

int ethosu_wait(struct ethosu_driver *driver, bool block) {
    int i;

    (void)block;
    driver->busy = 0;
    if (runs == fails) {
        return -1;
    }
    for (i = 0; i < 4; ++i) {
        /* The first adds 1; the second the values of before and behind the core. */
        scratch[(is_second ? 32 : 16) + i] =
            (uint8_t)(is_second ? scratch[4 + i] + scratch[20 + i] : scratch[i] + 1);
    }
    return 0;
}

int ethosu_invoke_v3(struct ethosu_driver *driver, const void *payload, const int size, uint64_t *const bases,
                     const size_t *sizes, const int count, void *user) {
    (void)ethosu_invoke_async(driver, payload, size, bases, sizes, count, user);
    return ethosu_wait(driver, true);
}

int main(int argc, char **argv) {
    static const int8_t input[4] = {1, 2, 3, 10}, sums[4] = {13, 7, 7, 13}, zeros[4] = {0, 0, 0, 0};

    fails = argc > 1 ? atoi(argv[1]) : 0;
    check(dimmer_init(&d, &dimmer_model, arena, sizeof arena) == DIMMER_OK, "no model");
    check(dimmer_npu_status(&d) == DIMMER_NPU_NONE, "a status before the first inference");
    memcpy(dimmer_input(&d), input, sizeof input);
    check(dimmer_invoke(&d) == DIMMER_OK, "does not run");
    check(memcmp(dimmer_output(&d), fails != 0 ? zeros : sums, 4) == 0, "another output");
    check(dimmer_npu_status(&d) == (fails != 0 ? DIMMER_NPU_FAILED : DIMMER_NPU_OK), "another status");
    check(runs == (fails == 1 ? 1 : 2), "a stream runs behind one that failed");
    check(cleaned == runs && invalidated == runs, "the cache is not kept up at each crossing");
    check(memcmp(dimmer_input(&d), input, sizeof input) == 0, "the input is gone");
    fails = 0;
    check(dimmer_invoke(&d) == DIMMER_OK && memcmp(dimmer_output(&d), sums, 4) == 0, "one failure lasts");
    check(dimmer_npu_status(&d) == DIMMER_NPU_OK, "a status of before");
    return failures != 0;
}
