/* SPDX-License-Identifier: Apache-2.0 */
/* Every Cortex-M: the vector table and what must be switched on first. */
#include <stdint.h>

#include "start.h"

#if defined(DIMMER_BOARD)
#define TICK board_tick
#else
#define TICK board_fault
#endif

extern uint32_t dimmer_stack_top[];

void reset_handler(void);

typedef union {
    void (*handler)(void);
    uint32_t *stack;
} vector_t;

extern const vector_t board_vectors[16];

void reset_handler(void) {
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
    volatile uint32_t *const coprocessor_access = (volatile uint32_t *)0xE000ED88u;

    *coprocessor_access |= 0xFu << 20; /* CP10, CP11: FPU and Helium */
    __asm__ volatile("dsb\n\tisb" ::: "memory");
#endif
#if defined(DIMMER_BOARD) && __ARM_ARCH >= 7
    /* Behind a bootloader it is still the bootloader's table that counts. */
    *(volatile uint32_t *)0xE000ED08u = (uint32_t)(uintptr_t)board_vectors;
#endif
    board_start();
}

__attribute__((section(".vectors"), used)) const vector_t board_vectors[16] = {
    {.stack = dimmer_stack_top},
    {.handler = reset_handler},
    {.handler = board_fault},
    {.handler = board_fault},
    {.handler = board_fault},
    {.handler = board_fault},
    {.handler = board_fault},
    {.handler = board_fault},
    {.stack = 0},
    {.stack = 0},
    {.stack = 0},
    {.handler = board_fault},
    {.handler = board_fault},
    {.stack = 0},
    {.handler = board_fault},
    {.handler = TICK},
};
