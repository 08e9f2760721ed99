/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include "platform.h"

static void put(text_t *t, char c) {
    if (t->used < TEXT_ROOM) {
        t->line[t->used++] = c;
    } else {
        t->over = 1;
    }
}

static void put_all(text_t *t, const char *s) {
    while (*s != '\0') {
        put(t, *s++);
    }
}

static void put_quoted(text_t *t, const char *s) {
    put(t, '"');
    for (; *s != '\0'; ++s) {
        if (*s == '"' || *s == '\\') {
            put(t, '\\');
        }
        put(t, *s);
    }
    put(t, '"');
}

static void put_number(text_t *t, uint32_t value) {
    char digits[10];
    int n = 0;

    do {
        digits[n++] = (char)('0' + value % 10u);
        value /= 10u;
    } while (value != 0u);
    while (n > 0) {
        put(t, digits[--n]);
    }
}

/* Takes back what did not fit. */
static void keep(text_t *t) {
    if (t->over != 0u) {
        t->used = t->kept;
        t->over = 0;
        t->cut = 1;
    }
    t->kept = t->used;
}

static void put_key(text_t *t, const char *key) {
    keep(t);
    put(t, ',');
    put_quoted(t, key);
    put(t, ':');
}

void text_begin(text_t *t, const char *event) {
    t->used = 0;
    t->over = 0;
    t->cut = 0;
    put_all(t, "{\"event\":");
    put_quoted(t, event);
    t->kept = t->used;
}

void text_string(text_t *t, const char *key, const char *value) {
    put_key(t, key);
    put_quoted(t, value);
}

void text_word(text_t *t, const char *key, const char *value) {
    put_key(t, key);
    put_all(t, value);
}

void text_number(text_t *t, const char *key, uint32_t value) {
    put_key(t, key);
    put_number(t, value);
}

void text_signed(text_t *t, const char *key, int32_t value) {
    put_key(t, key);
    if (value < 0) {
        put(t, '-');
    }
    put_number(t, value < 0 ? 0u - (uint32_t)value : (uint32_t)value);
}

void text_end(text_t *t) {
    const char *cut = ",\"cut\":true";

    keep(t);
    for (; t->cut != 0u && *cut != '\0'; ++cut) {
        t->line[t->used++] = *cut;
    }
    t->line[t->used++] = '}';
    t->line[t->used++] = '\n';
    platform_print(t->line, t->used);
}
