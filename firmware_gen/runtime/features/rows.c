/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "dimmer_assert.h"
#include "dimmer_window.h"

dimmer_status_t dimmer_window_init(dimmer_window_t *window, int8_t *memory, uint16_t rows, uint16_t columns,
                                   uint16_t hop) {
    if (window == NULL || memory == NULL || rows == 0u || columns == 0u || hop == 0u) {
        return DIMMER_ERR_ARGUMENT;
    }
    window->memory = memory;
    window->rows = rows;
    window->columns = columns;
    window->hop = hop;
    window->next = 0;
    window->due = rows;
    return DIMMER_OK;
}

int8_t *dimmer_window_row(dimmer_window_t *window) {
    DIMMER_ASSERT(window->next < window->rows);
    return window->memory + (size_t)window->next * window->columns;
}

int dimmer_window_next(dimmer_window_t *window) {
    window->next = (uint16_t)(window->next + 1u);
    if (window->next == window->rows) {
        window->next = 0;
    }
    if (--window->due != 0u) {
        return 0;
    }
    window->due = window->hop;
    return 1;
}

void dimmer_window_copy(const dimmer_window_t *window, int8_t *input) {
    const size_t newer = (size_t)window->next * window->columns;
    const size_t older = (size_t)window->rows * window->columns - newer;

    memcpy(input, window->memory + newer, older);
    memcpy(input + older, window->memory, newer);
}
