/* SPDX-License-Identifier: Apache-2.0 */
/* For what runs once in minutes, or once in an inference: small rather than fast. */
#ifndef DIMMER_SMALL_CODE_H
#define DIMMER_SMALL_CODE_H

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("Os")
#endif

#endif
