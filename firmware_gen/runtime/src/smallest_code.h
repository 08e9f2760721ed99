/* SPDX-License-Identifier: Apache-2.0 */
/* For the policy, which is counted in bytes: no path stands twice so that a jump less is taken, and what
 * hangs on one condition stays together: as a branch, where that takes less than conditional instructions. */
#ifndef DIMMER_SMALLEST_CODE_H
#define DIMMER_SMALLEST_CODE_H

#include "dimmer_small_code.h"

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("Os", "no-thread-jumps", "no-schedule-insns2", "no-if-conversion", "no-ssa-phiopt",     \
                     "no-shrink-wrap", "no-tree-sink", "no-optimize-sibling-calls",                          \
                     "reorder-blocks-algorithm=stc")
#endif

/* Before a function of which each caller would get a copy. */
#if defined(__GNUC__)
#define DIMMER_APART __attribute__((noinline))
#else
#define DIMMER_APART
#endif

#endif
