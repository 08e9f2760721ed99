/* SPDX-License-Identifier: Apache-2.0 */
/* A core under a debugger or an emulator. RISC-V counts its instructions itself; other targets define
 * DIMMER_COUNTER_ADDRESS, a counter that runs at DIMMER_COUNTER_NUMERATOR / DIMMER_COUNTER_DENOMINATOR
 * instructions a tick. */
#include "platform.h"

#include <string.h>

#include "../bare_metal/painted.h"
#include "semihosting.h"

static char command_line[512];

int platform_arguments(int argc, char **argv, const char **words, int capacity) {
    const struct {
        char *text;
        uint32_t size;
    } block = {command_line, sizeof command_line};
    char *at = command_line;
    int n = -1; /* the first word is the program's name */

    (void)argc;
    (void)argv;
    if (semihosting_call(SEMIHOSTING_GET_COMMAND_LINE, &block) != 0) {
        return 0;
    }
    while (n < capacity) {
        while (*at == ' ') {
            *at++ = '\0';
        }
        if (*at == '\0') {
            break;
        }
        if (n >= 0) {
            words[n] = at;
        }
        ++n;
        while (*at != ' ' && *at != '\0') {
            ++at;
        }
    }
    return n < 0 ? 0 : n;
}

static int open_file(const char *path, uint32_t mode) {
    const struct {
        const char *path;
        uint32_t mode;
        uint32_t length;
    } block = {path, mode, (uint32_t)strlen(path)};

    return (int)semihosting_call(SEMIHOSTING_OPEN, &block);
}

void platform_print(const char *text, size_t size) {
    static int console;

    if (console == 0) {
        console = open_file(":tt", 4) + 1; /* "w": standard output */
    }
    (void)platform_write(console - 1, text, size);
}

int platform_open(const char *path, platform_mode_t mode) {
    return open_file(path, mode == PLATFORM_READ ? 1u : 5u); /* "rb" or "wb" */
}

/* Reads and writes report how many bytes were left undone. */
static size_t transfer(int32_t operation, int handle, const void *data, size_t size) {
    const struct {
        int32_t handle;
        const void *data;
        uint32_t size;
    } block = {handle, data, (uint32_t)size};
    const int32_t left = semihosting_call(operation, &block);

    return left < 0 || (size_t)left > size ? 0u : size - (size_t)left;
}

size_t platform_read(int handle, void *data, size_t size) {
    return transfer(SEMIHOSTING_READ, handle, data, size);
}

size_t platform_write(int handle, const void *data, size_t size) {
    return transfer(SEMIHOSTING_WRITE, handle, data, size);
}

int platform_close(int handle) {
    const int32_t block = handle;

    return (int)semihosting_call(SEMIHOSTING_CLOSE, &block);
}

#if defined(__riscv)

int platform_start_counter(void) {
    return 1;
}

uint32_t platform_ticks(void) {
    uint32_t ticks;

    __asm__ volatile(".option push\n\t"
                     ".option arch, +zicsr\n\t"
                     "csrr %0, minstret\n\t"
                     ".option pop"
                     : "=r"(ticks)
                     :
                     : "memory");
    return ticks;
}

#if defined(PLATFORM_COUNTS_CYCLES)
uint32_t platform_cycles(void) {
    uint32_t cycles;

    __asm__ volatile(".option push\n\t"
                     ".option arch, +zicsr\n\t"
                     "csrr %0, mcycle\n\t"
                     ".option pop"
                     : "=r"(cycles)
                     :
                     : "memory");
    return cycles;
}
#endif

uint32_t platform_instructions(uint32_t ticks) {
    return ticks;
}

#elif defined(DIMMER_COUNTER_ADDRESS)

int platform_start_counter(void) {
    *(volatile uint32_t *)(DIMMER_COUNTER_ADDRESS + 4u) = 0u; /* prescaler: count every tick */
    return 1;
}

uint32_t platform_ticks(void) {
    uint32_t ticks;

    __asm__ volatile("" ::: "memory");
    ticks = *(volatile uint32_t *)DIMMER_COUNTER_ADDRESS;
    __asm__ volatile("" ::: "memory");
    return ticks;
}

uint32_t platform_instructions(uint32_t ticks) {
    return (uint32_t)((uint64_t)ticks * DIMMER_COUNTER_NUMERATOR / DIMMER_COUNTER_DENOMINATOR);
}

#else

int platform_start_counter(void) {
    return 0;
}

uint32_t platform_ticks(void) {
    return 0;
}

uint32_t platform_instructions(uint32_t ticks) {
    return ticks;
}

#endif

uint32_t platform_stack_used(void) {
    return painted_stack();
}
