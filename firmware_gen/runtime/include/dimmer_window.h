/* SPDX-License-Identifier: Apache-2.0 */
/* The rows that a network looks at: the newest ones of a stream, in order, again after so many new ones. */
#ifndef DIMMER_WINDOW_H
#define DIMMER_WINDOW_H

#include <stddef.h>
#include <stdint.h>

#include "dimmer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The caller's; `memory` is int8[rows][columns]. */
typedef struct {
    int8_t *memory;
    uint16_t rows;
    uint16_t columns;
    uint16_t hop;  /* rows from one input to the next */
    uint16_t next; /* where the next row lies */
    uint16_t due;  /* rows until an input is due */
} dimmer_window_t;

/* Begins a stream: the first input is due with the last of `rows` rows, others every `hop` rows.
 * Returns DIMMER_ERR_ARGUMENT where a pointer is null or a count is 0. */
dimmer_status_t dimmer_window_init(dimmer_window_t *window, int8_t *memory, uint16_t rows, uint16_t columns,
                                   uint16_t hop);

/* Where the next row is to be written: int8[columns]. */
int8_t *dimmer_window_row(dimmer_window_t *window);

/* Takes that row. Returns 1 where an input is due, else 0. */
int dimmer_window_next(dimmer_window_t *window);

/* Copies the rows, oldest first, into int8[rows][columns]. */
void dimmer_window_copy(const dimmer_window_t *window, int8_t *input);

#ifdef __cplusplus
}
#endif

#endif
