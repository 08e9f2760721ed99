/* SPDX-License-Identifier: Apache-2.0 */
#include "start.h"

#include <stdint.h>

#include "painted.h"
#if defined(DIMMER_BOARD)
#include "board.h"
#else
#include "semihosting.h"
#endif

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

int main(int argc, char **argv);

#if !defined(DIMMER_BOARD) /* a board does not end: targets/board/platform_uart.c */
void board_leave(int code) {
    const uint32_t block[2] = {0x20026u, (uint32_t)code}; /* ADP_Stopped_ApplicationExit */

    for (;;) {
        (void)semihosting_call(SEMIHOSTING_EXIT_EXTENDED, block);
    }
}

void board_fault(void) {
    board_leave(70);
}
#endif

void board_start(void) {
    const uint32_t *from = dimmer_data_source;
    uint32_t *to;
    volatile uint32_t *paint;
    uint32_t *here;

#if defined(DIMMER_BOARD)
    board_setup();
#endif
    for (to = dimmer_data_start; to != dimmer_data_end; ++to) {
        *to = *from++;
    }
    for (to = dimmer_bss_start; to != dimmer_bss_end; ++to) {
        *to = 0u;
    }
    __asm__ volatile(READ_STACK_POINTER : "=r"(here));
    /* Volatile, or it becomes a call of memset, whose own frame lies below `here`. */
    for (paint = dimmer_stack_limit; paint < here; ++paint) {
        *paint = STACK_PAINT;
    }
    board_leave(main(0, 0));
}
