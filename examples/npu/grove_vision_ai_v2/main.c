/* SPDX-License-Identifier: Apache-2.0 */
/* Grove Vision AI V2 (Himax WE2): the board's functions for the NPU. Of the vendor's SDK it takes
 * WE2_device.h, WE2_core.h, xprintf.h and the driver in its library of inference. Nobody has run it. */
#include "WE2_core.h"
#include "WE2_device.h"

#include "dimmer_ethos_u.h"
#include "ethosu_driver.h"
#include "known_answers.h"
#include "xprintf.h"

#define LONGEST_US 200000u /* that an inference may take */

static struct ethosu_driver npu;
static uint32_t began;

int app_main(void);

static void npu_interrupt(void) {
    ethosu_irq_handler(&npu);
}

/* The SDK counts down in 24 bits, and how often that has ended. */
static uint32_t microseconds(void) {
    uint32_t tick, loops;

    SystemGetTick(&tick, &loops);
    return (uint32_t)((((uint64_t)loops << 24) + (0xFFFFFFu - tick)) / (SystemCoreClock / 1000000u));
}

struct ethosu_driver *dimmer_board_npu(void) {
    return &npu;
}

void dimmer_board_clean_dcache(const void *memory, size_t size) {
    SCB_CleanDCache_by_Addr((volatile void *)(uintptr_t)memory, (int32_t)size);
}

void dimmer_board_invalidate_dcache(void *memory, size_t size) {
    SCB_InvalidateDCache_by_Addr(memory, (int32_t)size);
}

/* The SDK's linker scripts place data where core and NPU see it at one address. */
uint64_t dimmer_board_npu_address(uint64_t address) {
    return address;
}

/* Does not sleep: nothing would wake the core where the NPU is dead. */
int dimmer_board_npu_wait(uint32_t turn) {
    if (turn == 0) {
        began = microseconds();
    }
    return microseconds() - began > LONGEST_US;
}

static int start_npu(void) {
    return ethosu_init(&npu, (void *)BASE_ADDR_APB_U55_CTRL_ALIAS, NULL, 0, 1, 1);
}

/* A soft reset would leave the driver with an inference that it believes to be running. */
void dimmer_board_npu_reset(struct ethosu_driver *driver) {
    ethosu_deinit(driver);
    (void)start_npu();
}

static void say(uint32_t mode, const char *what, uint32_t took) {
    xprintf("mode %d: %s (%d us)\n", (int)mode, what, (int)took);
}

int app_main(void) {
    EPII_NVIC_SetVector(U55_IRQn, (uint32_t)(uintptr_t)npu_interrupt);
    NVIC_EnableIRQ(U55_IRQn);
    if (start_npu() != 0) {
        xprintf("there is no NPU at its address\n");
        return 1;
    }
    return example_known_answers(microseconds, say);
}
