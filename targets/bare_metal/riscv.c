/* SPDX-License-Identifier: Apache-2.0 */
/* A RISC-V hart in machine mode: the first instructions, and where exceptions go. */
#include "start.h"

__attribute__((naked, section(".vectors"), used)) void reset_handler(void);
__attribute__((aligned(4), used)) static void exception_handler(void);

static void exception_handler(void) {
    board_fault();
}

void reset_handler(void) {
    __asm__ volatile(".option push\n\t"
                     ".option norelax\n\t"
                     "la gp, __global_pointer$\n\t"
                     ".option pop\n\t"
                     "la sp, dimmer_stack_top\n\t"
                     "la t0, %0\n\t"
                     ".option push\n\t"
                     ".option arch, +zicsr\n\t"
                     "csrw mtvec, t0\n\t"
                     ".option pop\n\t"
                     "j board_start"
                     :
                     : "i"(exception_handler));
}
