/* SPDX-License-Identifier: Apache-2.0 */
/* The machine that builds: standard input and output, no instruction counter. */
#include <stdio.h>
#include <stdlib.h>

#include "platform.h"

#define MAX_FILES 4

static FILE *files[MAX_FILES];

int platform_arguments(int argc, char **argv, const char **words, int capacity) {
    int n = 0;

    for (; n < capacity && n + 1 < argc; ++n) {
        words[n] = argv[n + 1];
    }
    return n;
}

void platform_print(const char *text, size_t size) {
    if (fwrite(text, 1, size, stdout) != size || fflush(stdout) != 0) {
        exit(EXIT_FAILURE);
    }
}

int platform_open(const char *path, platform_mode_t mode) {
    int handle = 0;

    while (handle < MAX_FILES && files[handle] != NULL) {
        ++handle;
    }
    if (handle == MAX_FILES) {
        return -1;
    }
    files[handle] = fopen(path, mode == PLATFORM_READ ? "rb" : "wb");
    return files[handle] != NULL ? handle : -1;
}

size_t platform_read(int handle, void *data, size_t size) {
    return fread(data, 1, size, files[handle]);
}

size_t platform_write(int handle, const void *data, size_t size) {
    return fwrite(data, 1, size, files[handle]);
}

int platform_close(int handle) {
    FILE *file = files[handle];

    files[handle] = NULL;
    return fclose(file);
}

int platform_start_counter(void) {
    return 0;
}

uint32_t platform_ticks(void) {
    return 0;
}

uint32_t platform_instructions(uint32_t ticks) {
    return ticks;
}

uint32_t platform_stack_used(void) {
    return PLATFORM_UNKNOWN;
}
