/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DIMMER_REGISTERS_H
#define DIMMER_REGISTERS_H

#include <stdint.h>

#define REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))

/* What is done with a register; BYTE and HALF beside it where it has 8 or 16 bits instead of 32. */
enum { WRITE, SET, CLEAR, WAIT, WAIT_CLEAR, BYTE = 16, HALF = 32 };

typedef struct {
    uint32_t address;
    uint32_t bits;
    uint32_t what;
} access_t;

/* Return and set the value of a register of any width. */
uint32_t board_read(const access_t *access);
void board_write(const access_t *access, uint32_t value);

/* Returns whether the bits that are waited for are set, or clear, as the access says. */
int board_there(const access_t *access);

#endif
