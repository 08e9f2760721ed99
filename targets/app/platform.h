/* SPDX-License-Identifier: Apache-2.0 */
/* What the application needs from the machine under it: a console, files, an instruction counter. A target
 * whose core counts clock cycles, too, defines PLATFORM_COUNTS_CYCLES. DIMMER_BOARD is the name of a board
 * that is no emulated one: it speaks over a serial line, and does something without being asked. */
#ifndef DIMMER_PLATFORM_H
#define DIMMER_PLATFORM_H

#include <stddef.h>
#include <stdint.h>

#define PLATFORM_UNKNOWN UINT32_MAX

typedef enum { PLATFORM_READ, PLATFORM_WRITE } platform_mode_t;

/* Splits the command line, the program's name left out, into at most `capacity` words.
 * Returns how many. */
int platform_arguments(int argc, char **argv, const char **words, int capacity);

/* Writes `size` bytes to the console. */
void platform_print(const char *text, size_t size);

/* Returns a handle, or a negative number where the file cannot be opened. */
int platform_open(const char *path, platform_mode_t mode);

/* Returns how many bytes were read: fewer than `size` at the end of the file or on an error. */
size_t platform_read(int handle, void *data, size_t size);

/* Returns how many bytes were written. */
size_t platform_write(int handle, const void *data, size_t size);

/* Returns 0 where everything that was written has reached the file. */
int platform_close(int handle);

/* Makes the counter below count. Returns 0 where this machine cannot. */
int platform_start_counter(void);

/* A free-running count, in units of platform_instructions. */
uint32_t platform_ticks(void);

/* Returns how many instructions `ticks` stand for. */
uint32_t platform_instructions(uint32_t ticks);

#if defined(DIMMER_BOARD)
#define PLATFORM_COUNTS_CYCLES
#endif

#if defined(PLATFORM_COUNTS_CYCLES)
/* A free-running count of clock cycles, those that reading the counters takes included. */
uint32_t platform_cycles(void);
#endif

#if defined(DIMMER_BOARD)
/* Returns how long so many clock cycles take. */
uint32_t platform_microseconds(uint32_t cycles);

/* Returns whether a computer wants something of this board; then it has been answered. */
int platform_called(void);

/* Tells a computer that listens that a command has ended. */
void platform_end(int code);
#endif

/* Returns the most bytes of stack that were in use since the start, or PLATFORM_UNKNOWN. */
uint32_t platform_stack_used(void);

#endif
