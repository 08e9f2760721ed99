/* SPDX-License-Identifier: Apache-2.0 */
/* Every Cortex-M: the vector table and what must be switched on first. */
#include <stdint.h>

#include "start.h"

extern uint32_t dimmer_stack_top[];

void reset_handler(void);

void reset_handler(void) {
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
    volatile uint32_t *const coprocessor_access = (volatile uint32_t *)0xE000ED88u;

    *coprocessor_access |= 0xFu << 20; /* CP10, CP11: FPU and Helium */
    __asm__ volatile("dsb\n\tisb" ::: "memory");
#endif
    board_start();
}

typedef union {
    void (*handler)(void);
    uint32_t *stack;
} vector_t;

__attribute__((section(".vectors"), used)) static const vector_t vectors[16] = {
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
    {.handler = board_fault},
};
