/* SPDX-License-Identifier: Apache-2.0 */
/* The application over a serial line. Nobody need listen: without a command the board tests itself. A
 * computer sends an empty line, is told {"event":"ready",...}, and sends the words of a command.
 *
 * Files are the computer's. The board asks in a line of JSON, and is answered with a frame: the question's
 * turn, two bytes of length, as many bytes, the CRC-32 of all that, all little-endian. A frame that is
 * damaged or late is asked for again, in the next turn: the answer to an earlier one is no answer to this
 * one. An offset in every question makes asking twice harmless (targets/runners/link.py is the other end). */
#include <string.h>

#include "../bare_metal/painted.h"
#include "../bare_metal/start.h"
#include "board.h"
#include "dimmer.h"
#include "platform.h"
#include "text.h"

#define LARGEST_READ  512u
#define LARGEST_WRITE 48u
#define TRIES         5u
#define FILES         4u

/* The question that keeps bytes has to fit its line. */
#define LONGEST_WRITE                                                                                        \
    (sizeof "{\"event\":\"write\",\"handle\":0,\"turn\":255,\"at\":4294967295,\"crc\":4294967295,\"hex\":"   \
            "\"\"" -                                                                                         \
     1u + 2u * LARGEST_WRITE)
typedef char writes_fit[LONGEST_WRITE <= TEXT_ROOM ? 1 : -1];

int main(int argc, char **argv);

static char line[256];
static uint32_t offsets[FILES];
static text_t question;
static uint8_t turn; /* of the last question */
static uint8_t started;
static uint8_t commanded;

static int wait_for_byte(void) {
    uint32_t polls = DIMMER_CLOCK_HZ / 8u; /* a second or so: a turn takes some cycles */
    int byte;

    do {
        byte = board_get();
    } while (byte < 0 && --polls != 0u);
    return byte;
}

/* Reads a line without its end; returns its length. */
static size_t read_line(void) {
    size_t used = 0;

    for (;;) {
        const int byte = board_get();

        if (byte == '\n' || byte == '\r') {
            line[used] = '\0';
            return used;
        }
        if (byte >= 0 && used < sizeof line - 1u) {
            line[used++] = (char)byte;
        }
    }
}

static int split(const char **words, int capacity) {
    char *at = line;
    int n = 0;

    while (n < capacity) {
        while (*at == ' ') {
            *at++ = '\0';
        }
        if (*at == '\0') {
            break;
        }
        words[n++] = at;
        while (*at != ' ' && *at != '\0') {
            ++at;
        }
    }
    return n;
}

static void say_ready(void) {
    text_begin(&question, "ready");
    text_string(&question, "board", DIMMER_BOARD);
    text_number(&question, "clock_hz", DIMMER_CLOCK_HZ);
    text_end(&question);
}

int platform_arguments(int argc, char **argv, const char **words, int capacity) {
    (void)argc;
    (void)argv;
    memset(offsets, 0, sizeof offsets);
    if (!started) {
        started = 1;
        if (!platform_called()) {
            return 0;
        }
    }
    while (read_line() == 0u) {
        say_ready();
    }
    commanded = 1;
    return split(words, capacity);
}

int platform_called(void) {
    const int byte = board_get();

    /* Noise on an open line is no call. */
    if (byte != '\n' && byte != '\r') {
        return 0;
    }
    say_ready();
    return 1;
}

void platform_print(const char *text, size_t size) {
    for (; size != 0u; --size) {
        board_put((uint8_t)*text++);
    }
}

/* Receives so many bytes, of which the first `capacity` are kept, and goes on with their CRC; 0 where they do
 * not come. */
static int take(uint8_t *data, uint32_t size, uint32_t capacity, uint32_t *crc) {
    uint32_t i;

    for (i = 0; i < size; ++i) {
        const int byte = wait_for_byte();
        const uint8_t value = (uint8_t)byte;

        if (byte < 0) {
            return 0;
        }
        *crc = dimmer_crc32(*crc, &value, 1);
        if (i < capacity) {
            data[i] = value;
        }
    }
    return 1;
}

/* Receives a frame of any turn; returns its length, -1 where it is damaged or does not come. */
static int take_frame(uint8_t *of, uint8_t *data, uint32_t capacity) {
    uint8_t head[3];
    uint8_t end[4];
    uint32_t length;
    uint32_t crc = 0;
    uint32_t unused = 0;
    uint32_t i;

    if (!take(head, sizeof head, sizeof head, &crc)) {
        return -1;
    }
    length = (uint32_t)head[1] | (uint32_t)head[2] << 8;
    if (!take(data, length, capacity, &crc) || !take(end, sizeof end, sizeof end, &unused)) {
        return -1;
    }
    for (i = 0; i < sizeof end; ++i) {
        if (end[i] != (uint8_t)(crc >> 8 * i)) {
            return -1;
        }
    }
    *of = head[0];
    return (int)length;
}

/* Receives the answer to the last question; returns its length, -1 where it is damaged or does not come. */
static int receive(uint8_t *data, uint32_t capacity) {
    for (;;) {
        uint8_t of = 0;
        const int length = take_frame(&of, data, capacity);

        if (length < 0) {
            while (wait_for_byte() >= 0) { /* what is left of it is the beginning of nothing */
            }
            return -1;
        }
        if (of == turn) {
            return (uint32_t)length <= capacity ? length : -1;
        }
    }
}

static void ask(const char *what, int handle) {
    text_begin(&question, what);
    if (handle >= 0) {
        text_number(&question, "handle", (uint32_t)handle);
    }
    text_number(&question, "turn", ++turn);
}

int platform_open(const char *path, platform_mode_t mode) {
    uint32_t tries;
    uint8_t handle;

    for (tries = 0; tries < TRIES; ++tries) {
        ask("open", -1);
        text_string(&question, "path", path);
        text_word(&question, "write", mode == PLATFORM_WRITE ? "true" : "false");
        text_end(&question);
        if (receive(&handle, 1) == 1) {
            if (handle < FILES) {
                offsets[handle] = 0;
            }
            return handle < FILES ? (int)handle : -1;
        }
    }
    return -1;
}

size_t platform_read(int handle, void *data, size_t size) {
    uint8_t *to = (uint8_t *)data;
    size_t done = 0;

    while (done < size) {
        const uint32_t part = size - done < LARGEST_READ ? (uint32_t)(size - done) : LARGEST_READ;
        uint32_t tries;
        int got = -1;

        for (tries = 0; tries < TRIES && got < 0; ++tries) {
            ask("read", handle);
            text_number(&question, "at", offsets[handle]);
            text_number(&question, "bytes", part);
            text_end(&question);
            got = receive(to + done, part);
        }
        if (got <= 0) {
            break;
        }
        done += (size_t)got;
        offsets[handle] += (uint32_t)got;
    }
    return done;
}

/* In hexadecimal, in the line that asks to keep it. */
static int write_part(int handle, const uint8_t *data, uint32_t part) {
    static const char digits[] = "0123456789abcdef";
    char hex[2u * LARGEST_WRITE + 1u];
    uint32_t tries;
    uint32_t i;

    for (i = 0; i < part; ++i) {
        hex[2u * i] = digits[data[i] >> 4];
        hex[2u * i + 1u] = digits[data[i] & 15u];
    }
    hex[2u * part] = '\0';
    for (tries = 0; tries < TRIES; ++tries) {
        uint8_t kept;

        ask("write", handle);
        text_number(&question, "at", offsets[handle]);
        text_number(&question, "crc", dimmer_crc32(0, data, part));
        text_string(&question, "hex", hex);
        text_end(&question);
        if (receive(&kept, 1) == 1 && kept == 1u) {
            return 1;
        }
    }
    return 0;
}

size_t platform_write(int handle, const void *data, size_t size) {
    const uint8_t *from = (const uint8_t *)data;
    size_t done = 0;

    while (done < size) {
        const uint32_t part = size - done < LARGEST_WRITE ? (uint32_t)(size - done) : LARGEST_WRITE;

        if (!write_part(handle, from + done, part)) {
            break;
        }
        done += part;
        offsets[handle] += part;
    }
    return done;
}

int platform_close(int handle) {
    uint32_t tries;
    uint8_t answer;

    for (tries = 0; tries < TRIES; ++tries) {
        ask("close", handle);
        text_end(&question);
        if (receive(&answer, 1) == 1) {
            return answer == 1u ? 0 : -1;
        }
    }
    return -1;
}

int platform_start_counter(void) {
    return board_start_cycles();
}

uint32_t platform_ticks(void) {
    return 0;
}

uint32_t platform_instructions(uint32_t ticks) {
    return ticks;
}

uint32_t platform_cycles(void) {
    return board_cycles();
}

uint32_t platform_microseconds(uint32_t cycles) {
    return (uint32_t)((uint64_t)cycles * 1000000u / DIMMER_CLOCK_HZ);
}

uint32_t platform_stack_used(void) {
    return painted_stack();
}

void platform_end(int code) {
    text_begin(&question, "end");
    text_signed(&question, "code", code);
    text_end(&question);
}

void board_leave(int code) {
    for (;;) {
        if (commanded) { /* not where a board that shows itself is called away from it */
            platform_end(code);
        }
        code = main(0, 0);
    }
}

/* Says so and stays: there may be no debugger, and a start that faults again would only repeat it. */
void board_fault(void) {
    platform_end(70);
    for (;;) {
    }
}
