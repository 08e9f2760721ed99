/* SPDX-License-Identifier: Apache-2.0 */
/* The stack, as board_start paints it. */
#ifndef DIMMER_PAINTED_H
#define DIMMER_PAINTED_H

#include <stdint.h>

#define STACK_PAINT 0xA5A5A5A5u

extern uint32_t dimmer_stack_limit[];
extern uint32_t dimmer_stack_top[];

/* Returns the most bytes of stack that were in use since the start. */
static inline uint32_t painted_stack(void) {
    const uint32_t *at = dimmer_stack_limit;

    while (at != dimmer_stack_top && *at == STACK_PAINT) {
        ++at;
    }
    return (uint32_t)((uintptr_t)dimmer_stack_top - (uintptr_t)at);
}

#endif
