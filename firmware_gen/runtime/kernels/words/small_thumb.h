/* SPDX-License-Identifier: Apache-2.0 */
/* small.h in assembly of Armv6-M. */
#ifndef DIMMER_SMALL_THUMB_H
#define DIMMER_SMALL_THUMB_H

/* dimmer_small of the sum in r2, clamped, to [r8], which goes on to the next output. r4, r5, r6: the
 * multiplier's parts, r0, r1: start, shift, r12: bytes to the next output. r3 and r7 are free. */
#define DIMMER_STORE_SMALL                                                                                   \
    "mov r3, r2\n\t"                                                                                         \
    "muls r3, r4, r3\n\t"                                                                                    \
    "asrs r3, r3, #11\n\t"                                                                                   \
    "mov r7, r2\n\t"                                                                                         \
    "muls r7, r5, r7\n\t"                                                                                    \
    "adds r3, r3, r7\n\t"                                                                                    \
    "asrs r3, r3, #10\n\t"                                                                                   \
    "asrs r7, r2, #31\n\t"                                                                                   \
    "lsls r7, r7, #10\n\t"                                                                                   \
    "adds r7, r7, r0\n\t"                                                                                    \
    "muls r2, r6, r2\n\t"                                                                                    \
    "adds r2, r2, r3\n\t"                                                                                    \
    "adds r2, r2, r7\n\t"                                                                                    \
    "asrs r2, r1\n\t"                                                                                        \
    "sxtb r3, r2\n\t"                                                                                        \
    "cmp r3, r2\n\t"                                                                                         \
    "beq 4f\n\t"                                                                                             \
    "asrs r2, r2, #31\n\t"                                                                                   \
    "movs r3, #127\n\t"                                                                                      \
    "eors r3, r2\n"                                                                                          \
    "4:\n\t"                                                                                                 \
    "mov r7, r8\n\t"                                                                                         \
    "strb r3, [r7]\n\t"                                                                                      \
    "add r8, r12\n\t"

#endif
