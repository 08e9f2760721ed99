/* SPDX-License-Identifier: Apache-2.0 */
#include "start.h"

#include <stdint.h>

#include "semihosting.h"

#if defined(__riscv)
#define READ_STACK_POINTER "mv %0, sp"
#else
#define READ_STACK_POINTER "mov %0, sp"
#endif

extern uint32_t dimmer_data_start[];
extern uint32_t dimmer_data_end[];
extern const uint32_t dimmer_data_source[];
extern uint32_t dimmer_bss_start[];
extern uint32_t dimmer_bss_end[];
extern uint32_t dimmer_stack_limit[];

int main(int argc, char **argv);

void board_leave(int code) {
    const uint32_t block[2] = {0x20026u, (uint32_t)code}; /* ADP_Stopped_ApplicationExit */

    for (;;) {
        (void)semihosting_call(SEMIHOSTING_EXIT_EXTENDED, block);
    }
}

void board_fault(void) {
    board_leave(70);
}

void board_start(void) {
    const uint32_t *from = dimmer_data_source;
    uint32_t *to;
    volatile uint32_t *paint;
    uint32_t *here;

    for (to = dimmer_data_start; to != dimmer_data_end; ++to) {
        *to = *from++;
    }
    for (to = dimmer_bss_start; to != dimmer_bss_end; ++to) {
        *to = 0u;
    }
    __asm__ volatile(READ_STACK_POINTER : "=r"(here));
    /* Volatile, or it becomes a call of memset, whose own frame lies below `here`. */
    for (paint = dimmer_stack_limit; paint < here; ++paint) {
        *paint = 0xA5A5A5A5u;
    }
    board_leave(main(0, 0));
}
