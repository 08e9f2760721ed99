/* SPDX-License-Identifier: Apache-2.0 */
/* The board's end of the serial line as a process of this machine, its line a socket: reads a file and writes
 * it. */
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "../bare_metal/painted.h"
#include "board.h"
#include "platform.h"

void board_leave(int code);
void board_fault(void);

uint32_t dimmer_stack_limit[1];
uint32_t dimmer_stack_top[1];

static int line;

int board_get(void) {
    struct pollfd waiting = {line, POLLIN, 0};
    unsigned char byte;

    return poll(&waiting, 1, 1) == 1 && read(line, &byte, 1) == 1 ? byte : -1;
}

void board_put(uint8_t byte) {
    if (write(line, &byte, 1) != 1) {
        exit(3);
    }
}

int board_start_cycles(void) {
    return 0;
}

uint32_t board_cycles(void) {
    return 0;
}

int main(int argc, char **argv) {
    static uint8_t data[4096];
    const char *words[4];
    size_t size;
    int from;
    int to;
    int failed;

    line = atoi(argv[1]);
    /* Nobody calls in time; then it waits for a command. */
    if (platform_arguments(argc, argv, words, 4) == 0 && platform_arguments(argc, argv, words, 4) != 3) {
        return 2;
    }
    from = platform_open(words[1], PLATFORM_READ);
    size = platform_read(from, data, sizeof data);
    failed = from < 0 || platform_close(from) != 0;
    to = platform_open(words[2], PLATFORM_WRITE);
    failed |= to < 0 || platform_write(to, data, size) != size || platform_close(to) != 0;
    platform_end(failed);
    return failed;
}
