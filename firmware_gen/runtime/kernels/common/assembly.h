/* SPDX-License-Identifier: Apache-2.0 */
/* Functions that are all assembly. */
#ifndef DIMMER_ASSEMBLY_H
#define DIMMER_ASSEMBLY_H

/* Parameters are registers, which the compiler does not see used: it must neither drop them, nor make a copy
 * of the function for some callers, nor believe that registers which no statement names outlive a call. */
#if defined(__ICCARM__)
#error                                                                                                       \
    "this assembly is for gcc and clang: with IAR compile src/ and kernels/portable/, for a model of portable kernels"
#elif defined(__clang__)
#define DIMMER_ASSEMBLY __attribute__((naked, noinline))
#else
#define DIMMER_ASSEMBLY __attribute__((naked, noipa))
#endif
#define DIMMER_REGISTER __attribute__((unused))

#endif
