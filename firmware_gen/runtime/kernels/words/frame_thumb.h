/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of functions that are all assembly, for Armv6-M, whose push and pop know r0 to r7 alone. */
#ifndef DIMMER_FRAME_THUMB_H
#define DIMMER_FRAME_THUMB_H

/* r4 to r11 and lr to the stack, 36 bytes; afterwards r4 to r7 hold copies of r8 to r11. */
#define DIMMER_SAVE_ALL                                                                                      \
    "push {r4-r7, lr}\n\t"                                                                                   \
    "mov r4, r8\n\t"                                                                                         \
    "mov r5, r9\n\t"                                                                                         \
    "mov r6, r10\n\t"                                                                                        \
    "mov r7, r11\n\t"                                                                                        \
    "push {r4-r7}\n\t"

/* All of them back, and the return. */
#define DIMMER_RESTORE_ALL                                                                                   \
    "pop {r4-r7}\n\t"                                                                                        \
    "mov r8, r4\n\t"                                                                                         \
    "mov r9, r5\n\t"                                                                                         \
    "mov r10, r6\n\t"                                                                                        \
    "mov r11, r7\n\t"                                                                                        \
    "pop {r4-r7, pc}\n\t"

#endif
