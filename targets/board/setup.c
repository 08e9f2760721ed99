/* SPDX-License-Identifier: Apache-2.0 */
/* The registers that target.toml lists under [board], written one after the other. */
#include <stddef.h>

#include "board.h"
#include "registers.h"

/* Polls of a bit that a chip sets when it is ready; one that never does must not hold everything up. */
#define PATIENCE 1000000u

#if defined(DIMMER_BOARD_EVERY_ACCESS) /* some register has 8 or 16 bits, or is waited for until bits go */
uint32_t board_read(const access_t *access) {
    const uintptr_t at = access->address;

    if ((access->what & BYTE) != 0u) {
        return *(volatile uint8_t *)at;
    }
    return (access->what & HALF) != 0u ? *(volatile uint16_t *)at : *(volatile uint32_t *)at;
}

void board_write(const access_t *access, uint32_t value) {
    const uintptr_t at = access->address;

    if ((access->what & BYTE) != 0u) {
        *(volatile uint8_t *)at = (uint8_t)value;
    } else if ((access->what & HALF) != 0u) {
        *(volatile uint16_t *)at = (uint16_t)value;
    } else {
        *(volatile uint32_t *)at = value;
    }
}

int board_there(const access_t *access) {
    const uint32_t wanted = (access->what & 15u) == WAIT ? access->bits : 0u;

    return (board_read(access) & access->bits) == wanted;
}

static void do_all(const access_t *access, size_t count) {
    for (; count != 0u; --count, ++access) {
        uint32_t polls = PATIENCE;

        switch (access->what & 15u) {
        case WRITE:
            board_write(access, access->bits);
            break;
        case SET:
            board_write(access, board_read(access) | access->bits);
            break;
        case CLEAR:
            board_write(access, board_read(access) & ~access->bits);
            break;
        default:
            while (!board_there(access) && --polls != 0u) {
            }
            break;
        }
    }
}
#else
static void do_all(const access_t *access, size_t count) {
    for (; count != 0u; --count, ++access) {
        volatile uint32_t *const at = &REGISTER(access->address);
        uint32_t polls = PATIENCE;

        if (access->what == WRITE) {
            *at = access->bits;
        } else if (access->what == SET) {
            *at |= access->bits;
        } else if (access->what == CLEAR) {
            *at &= ~access->bits;
        } else {
            while ((*at & access->bits) != access->bits && --polls != 0u) {
            }
        }
    }
}
#endif

__attribute__((weak)) void board_prepare(void) {
}

void board_setup(void) {
    static const access_t setup[] = {DIMMER_BOARD_SETUP};

    do_all(setup, sizeof setup / sizeof setup[0]);
    board_prepare();
}

void board_pin(int high) {
#if defined(DIMMER_BOARD_PIN_HIGH)
    static const access_t up[] = {DIMMER_BOARD_PIN_HIGH};
    static const access_t down[] = {DIMMER_BOARD_PIN_LOW};

    do_all(high ? up : down, 1u);
#else
    (void)high;
#endif
}
