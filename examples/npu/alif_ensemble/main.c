/* SPDX-License-Identifier: Apache-2.0 */
/* Alif Ensemble, core M55_HE or M55_HP: the board's functions for the NPU beside the core. Of the vendor's
 * pack it takes RTE_Components.h, the device's header, system_utils.h (LocalToGlobal) and Arm's driver.
 * Nobody has run it. */
#include "RTE_Components.h"
#include CMSIS_device_header

#include <stdio.h>

#include "dimmer_ethos_u.h"
#include "ethosu_driver.h"
#include "known_answers.h"
#include "system_utils.h"

/* As the pack names them; another release of it may have other names. */
#define NPU_BASE LOCAL_NPU_BASE
#define NPU_IRQ  LOCAL_NPU_IRQ_IRQn

#define LONGEST_MS 100u /* that an inference may take */

static struct ethosu_driver npu;
static volatile uint32_t milliseconds;
static uint32_t began;

void SysTick_Handler(void);
int main(void);

void SysTick_Handler(void) {
    ++milliseconds;
}

static void npu_interrupt(void) {
    ethosu_irq_handler(&npu);
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

/* The core's tightly coupled memory has another address on the NPU's bus. */
uint64_t dimmer_board_npu_address(uint64_t address) {
    return LocalToGlobal((const void *)(uintptr_t)address);
}

/* Sleeps until the NPU's interrupt, or the next millisecond's. */
int dimmer_board_npu_wait(uint32_t turn) {
    if (turn == 0) {
        began = milliseconds;
    }
    __WFE();
    return milliseconds - began > LONGEST_MS;
}

static int start_npu(void) {
    return ethosu_init(&npu, (void *)NPU_BASE, NULL, 0, 0, 0);
}

/* A soft reset would leave the driver with an inference that it believes to be running. */
void dimmer_board_npu_reset(struct ethosu_driver *driver) {
    ethosu_deinit(driver);
    (void)start_npu();
}

static uint32_t microseconds(void) {
    return milliseconds * 1000u;
}

static void say(uint32_t mode, const char *what, uint32_t took) {
    printf("mode %lu: %s (%lu us, in whole milliseconds)\n", (unsigned long)mode, what, (unsigned long)took);
}

int main(void) {
    (void)SysTick_Config(SystemCoreClock / 1000u);
    NVIC_SetVector(NPU_IRQ, (uint32_t)(uintptr_t)npu_interrupt);
    if (start_npu() != 0) {
        printf("there is no NPU at its address\n");
        return 1;
    }
    NVIC_EnableIRQ(NPU_IRQ);
    return example_known_answers(microseconds, say);
}
