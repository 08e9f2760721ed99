/* SPDX-License-Identifier: Apache-2.0 */
/* DIMMER_CONFIG of the tests: a precondition that does not hold ends the program, and says which. */
#include <stdio.h>
#include <stdlib.h>

#define DIMMER_ASSERT(condition)                                                                             \
    ((condition) ? (void)0 : (void)(fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition), abort()))
