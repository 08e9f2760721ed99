/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of JSON without printf, which alone would be larger than the network's code. */
#ifndef DIMMER_TEXT_H
#define DIMMER_TEXT_H

#include <stdint.h>

#define TEXT_CAPACITY 192
/* What fits besides the end, which says whether something did not. */
#define TEXT_ROOM (TEXT_CAPACITY - sizeof ",\"cut\":true}")

typedef struct {
    uint32_t used;
    uint32_t kept; /* before the key that is written now */
    uint8_t over;  /* whether it did not fit */
    uint8_t cut;   /* whether any did not */
    char line[TEXT_CAPACITY];
} text_t;

/* Starts {"event":"<event>". A key that does not fit is left out, and the line says "cut":true. */
void text_begin(text_t *t, const char *event);
void text_string(text_t *t, const char *key, const char *value);
/* For true, false and null. */
void text_word(text_t *t, const char *key, const char *value);
void text_number(text_t *t, const char *key, uint32_t value);
void text_signed(text_t *t, const char *key, int32_t value);
/* Ends the object and prints the line. */
void text_end(text_t *t);

#endif
