/* SPDX-License-Identifier: Apache-2.0 */
/* What systemd wants of a service: a word when it is ready, signs of life, and a journal with fields. All of
 * it does nothing where systemd did not start the program. */
#ifndef DIMMER_SERVICE_H
#define DIMMER_SERVICE_H

/* Tells that frames are taken from now on, and starts the signs of life where the unit has WatchdogSec. */
void service_ready(void);

/* A sign of life is given while the program waits for a frame, and once for each that is done: an inference
 * that does not come back is noticed. */
void service_waits(int waiting);

/* Sends an entry, lines of FIELD=value, to the journal. Returns 1; 0 where standard output is no journal. */
int service_journal(const char *entry);

#endif
