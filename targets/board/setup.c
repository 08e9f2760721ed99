/* SPDX-License-Identifier: Apache-2.0 */
/* The registers that target.toml lists under [board], written one after the other. */
#include <stddef.h>

#include "board.h"
#include "registers.h"

/* Polls of a bit that a chip sets when it is ready; one that never does must not hold everything up. */
#define PATIENCE 1000000u

enum { WRITE, SET, CLEAR, WAIT };

typedef struct {
    uint32_t address;
    uint32_t bits;
    uint32_t what;
} access_t;

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
