/* SPDX-License-Identifier: Apache-2.0 */
/* A timer interrupts whatever runs, thousands of times a second, and says that the supply sags: from the next
 * inference on nothing but the safe mode runs, until a report lifts it.
 *
 *   brown_out_test ROUNDS */
#define _XOPEN_SOURCE 700 /* NOLINT: setitimer */

#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>

#include "engine_fixture.h"

static dimmer_t network;
static volatile sig_atomic_t sagged;

static void sag(int number) {
    (void)number;
    dimmer_brown_out(&network);
    sagged = 1;
}

int main(int argc, char **argv) {
    static const struct itimerval often = {{0, 37}, {0, 37}};
    const unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 10000ul;
    static fixture_t f;
    dimmer_battery_t now = {0, 0, 900, 3300, 0, 0, 0};
    struct sigaction action;
    unsigned long lowered = 0;
    unsigned long bright = 0;
    unsigned long i;

    make(&f);
    CHECK(dimmer_init(&network, &f.model, arena(), 64) == DIMMER_OK);
    memset(&action, 0, sizeof action);
    action.sa_handler = sag;
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    CHECK(setitimer(ITIMER_REAL, &often, NULL) == 0);
    for (i = 0; i < rounds; ++i) {
        int before;

        /* Reports that come all the time, and lift what has been quiet for long enough. */
        now.time_s += DIMMER_BROWN_OUT_S / 2u;
        CHECK(dimmer_report_battery(&network, &now) == DIMMER_OK);
        CHECK(dimmer_set_mode(&network, 0) == DIMMER_OK);
        before = network.browned_out && sagged;
        *dimmer_input(&network) = 0;
        CHECK(dimmer_invoke(&network) == DIMMER_OK);
        if (before) {
            CHECK(dimmer_running_mode(&network) == 1);
            CHECK(*dimmer_input(&network) == 2);
            ++lowered;
        } else if (*dimmer_input(&network) == 4) {
            ++bright;
        }
        /* One that came since is never lost: two quiet reports at least lie between it and a bright
         * inference. */
        if (sagged) {
            sagged = 0;
            CHECK(network.browned_out);
            now.time_s += 1u;
            CHECK(dimmer_report_battery(&network, &now) == DIMMER_OK);
            CHECK(network.browned_out);
        }
    }
    printf("%lu inferences were lowered, %lu were not\n", lowered, bright);
    return failures;
}
