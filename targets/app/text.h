/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of JSON without printf, which alone would be larger than the network's code. */
#ifndef DIMMER_TEXT_H
#define DIMMER_TEXT_H

#include <stdint.h>

/* A line that is longer is cut. */
#define TEXT_CAPACITY 192

typedef struct {
    uint32_t used;
    char line[TEXT_CAPACITY];
} text_t;

/* Starts {"event":"<event>" */
void text_begin(text_t *t, const char *event);
void text_string(text_t *t, const char *key, const char *value);
/* For true, false and null. */
void text_word(text_t *t, const char *key, const char *value);
void text_number(text_t *t, const char *key, uint32_t value);
void text_signed(text_t *t, const char *key, int32_t value);
/* Ends the object and prints the line. */
void text_end(text_t *t);

#endif
