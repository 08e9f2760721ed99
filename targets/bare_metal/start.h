/* SPDX-License-Identifier: Apache-2.0 */
/* From a core's first instruction to main: what all cores have in common. */
#ifndef BOARD_START_H
#define BOARD_START_H

/* Ends the program; `code` becomes the exit code of the emulator. */
__attribute__((noreturn)) void board_leave(int code);

/* Fills .data, .bss and the unused stack, and runs main. For the core's reset code, on the program's own
 * stack. Used: code that no compiler reads may be what calls it. */
__attribute__((noreturn, used)) void board_start(void);

/* For every exception that the program does not expect. */
__attribute__((noreturn)) void board_fault(void);

/* For the interrupt of a Cortex-M's SysTick, on boards that are no emulated ones. */
void board_tick(void);

#endif
