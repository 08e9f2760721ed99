/* SPDX-License-Identifier: Apache-2.0 */
/* What a board that somebody holds in his hand has, and an emulator with semihosting does not need: a serial
 * line, a counter of clock cycles, a pin. [board] of target.toml says where they are; targets/board has the
 * code. */
#ifndef DIMMER_BOARD_H
#define DIMMER_BOARD_H

#include <stdint.h>

/* Writes the registers of `setup`, in their order: clocks, pins, baud rate. Before .data is filled in. */
void board_setup(void);

/* What a list of registers cannot say, after it; nothing unless a board has code for it. */
void board_prepare(void);

/* Waits until a byte can be sent, and sends it. */
void board_put(uint8_t byte);

/* Returns the next byte that has come, or -1 where none has. */
int board_get(void);

/* Makes board_cycles count. Returns 0 where this core has no counter. */
int board_start_cycles(void);

/* A free-running count of clock cycles. */
uint32_t board_cycles(void);

/* Drives the pin that a power analyser listens to. */
void board_pin(int high);

/* Sleeps for about so long: until SysTick wakes the core where there is one, else awake. */
void board_sleep(uint32_t milliseconds);

/* Returns the supply's voltage as the chip itself measures it, millivolts; 0 where no code of the board does.
 */
uint32_t board_supply(void);

/* Returns the battery's voltage: yours, where a source of yours has this function; else the supply's, or the
 * constant `millivolts` of target.toml. */
uint32_t board_millivolts(void);

/* Returns whether board_millivolts last gave what the chip measures at its own supply. */
int board_gave_supply(void);

#endif
