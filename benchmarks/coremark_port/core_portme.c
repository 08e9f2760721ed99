/* SPDX-License-Identifier: Apache-2.0 */
/* CoreMark on a target of ours: its clock is the core's counter of cycles, its console that of platform.h. */
#include <stdarg.h>
#include <stdio.h>

#include "coremark.h"
#include "platform.h"

/* The performance run of CoreMark; volatile, so that the compiler knows none of them. */
volatile ee_s32 seed1_volatile = 0;
volatile ee_s32 seed2_volatile = 0;
volatile ee_s32 seed3_volatile = 0x66;
volatile ee_s32 seed4_volatile = ITERATIONS;
volatile ee_s32 seed5_volatile = 0;

ee_u32 default_num_contexts = 1;

static CORE_TICKS started;
static CORE_TICKS stopped;

void start_time(void) {
    started = platform_cycles();
}

void stop_time(void) {
    stopped = platform_cycles();
}

CORE_TICKS get_time(void) {
    return stopped - started;
}

/* As at 1 MHz. */
secs_ret time_in_secs(CORE_TICKS ticks) {
    return ticks / 1000000u;
}

void portable_init(core_portable *port, int *argc, char *argv[]) {
    (void)argc;
    (void)argv;
    port->portable_id = 1;
}

void portable_fini(core_portable *port) {
    port->portable_id = 0;
}

int ee_printf(const char *format, ...) {
    char line[160];
    va_list values;
    int size;

    va_start(values, format);
    size = vsnprintf(line, sizeof line, format, values);
    va_end(values);
    if (size > 0) {
        platform_print(line, (size_t)size < sizeof line ? (size_t)size : sizeof line - 1u);
    }
    return size;
}
