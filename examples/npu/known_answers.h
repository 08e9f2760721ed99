/* SPDX-License-Identifier: Apache-2.0 */
/* Every mode on the NPU, its output compared with what TFLite's reference kernels give. */
#ifndef EXAMPLE_KNOWN_ANSWERS_H
#define EXAMPLE_KNOWN_ANSWERS_H

#include <stdint.h>

/* What became of a mode: a line to print, and the time that dimmer_invoke took. */
typedef void (*example_say_t)(uint32_t mode, const char *what, uint32_t microseconds);

/* Runs every mode once, after the board's NPU is ready. `microseconds` gives a time that counts up.
 * Returns how many modes did not give the known answer; 0 is right. */
int example_known_answers(uint32_t (*microseconds)(void), example_say_t say);

#endif
