/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that a thread or an interrupt may store while an inference reads them, or the other way round. Each
 * is a value of its own, with which nothing else is ordered: relaxed atomics, where the language has them.
 * Where it has none (C99, C++), it is one load or store of a byte, and what is read while others store is
 * volatile: safe from interrupts. */
#ifndef DIMMER_SHARED_BYTE_H
#define DIMMER_SHARED_BYTE_H

#include <stdint.h>

#if defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L && !defined(__STDC_NO_ATOMICS__)

#include <stdatomic.h>

/* An atomic byte is a byte: dimmer_t is the same for all that is linked together, in whatever language. */
_Static_assert(sizeof(_Atomic uint8_t) == 1u,
               "atomic bytes are larger than bytes: compile the library as C99");

#define DIMMER_LOAD(field)                                                                                   \
    atomic_load_explicit((const volatile _Atomic uint8_t *)&(field), memory_order_relaxed)
#define DIMMER_STORE(field, value)                                                                           \
    atomic_store_explicit((volatile _Atomic uint8_t *)&(field), (value), memory_order_relaxed)

#else

#define DIMMER_LOAD(field)         (field)
#define DIMMER_STORE(field, value) ((void)((field) = (value)))

#endif

#endif
