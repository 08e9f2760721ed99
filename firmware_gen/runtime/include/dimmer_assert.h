/* SPDX-License-Identifier: Apache-2.0 */
/* Preconditions of the library's functions and kernels.
 *
 * Nothing is checked unless DIMMER_ASSERT is defined: for the compiler with
 *     '-DDIMMER_ASSERT(condition)=((condition) ? (void)0 : my_trap())'
 * or in a header of yours that -DDIMMER_CONFIG='"my_dimmer.h"' names.
 */
#ifndef DIMMER_ASSERT_H
#define DIMMER_ASSERT_H

#ifdef DIMMER_CONFIG
#include DIMMER_CONFIG
#endif

/* What is not evaluated is compiled all the same, so that it stays true to the code. */
#ifndef DIMMER_ASSERT
#define DIMMER_ASSERT(condition) ((void)(0 && (condition)))
#endif

#endif
