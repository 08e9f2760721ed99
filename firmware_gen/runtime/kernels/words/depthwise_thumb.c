/* SPDX-License-Identifier: Apache-2.0 */
#include "depthwise.h"
#include "../common/assembly.h"
#include "small_thumb.h"
#include "frame_thumb.h"

#if defined(__thumb__) && !defined(__thumb2__)

/* r2: the next input of a row; r0: its row, r1: offset, r12: step. */
#define INPUT "ldrsb r2, [r0, r1]\n\t"
#define NEXT  "add r1, r12\n\t" INPUT
/* Adds the input times a weight to a sum: where the input is needed again, and the last time. */
#define PRODUCT(w, sum)                                                                                      \
    "mov r3, r2\n\t"                                                                                         \
    "muls r3, " w ", r3\n\t"                                                                                 \
    "add " sum ", r3\n\t"
#define LAST(w, sum)                                                                                         \
    "muls r2, " w ", r2\n\t"                                                                                 \
    "add " sum ", r2\n\t"
/* A row of the window, whose pointer is at `row` on the stack: lr: the channel, r7: its weights. */
#define ROW(row)                                                                                             \
    "ldr r0, [sp, " row "]\n\t"                                                                              \
    "mov r1, lr\n\t"                                                                                         \
    "ldmia r7!, {r4, r5, r6}\n\t" INPUT
#define ROW_OF_FOUR(row)                                                                                     \
    ROW(row)                                                                                                 \
    LAST("r4", "r8")                                                                                         \
    NEXT PRODUCT("r5", "r8") LAST("r4", "r9") NEXT PRODUCT("r6", "r8") PRODUCT("r5", "r9") LAST("r4", "r10") \
        NEXT PRODUCT("r6", "r9") PRODUCT("r5", "r10") LAST("r4", "r11") NEXT PRODUCT("r6", "r10")            \
            LAST("r5", "r11") NEXT LAST("r6", "r11")
#define ROW_OF_ONE(row)                                                                                      \
    ROW(row)                                                                                                 \
    LAST("r4", "r8")                                                                                         \
    NEXT LAST("r5", "r8") NEXT LAST("r6", "r8")

/* The struct at r0 to the stack: 0, 4, 8 rows, 12 channels, 16 the output of channel 0; step to r12. r7: the
 * channel's numbers. */
#define ENTER                                                                                                \
    ".syntax unified\n\t" DIMMER_SAVE_ALL "ldmia r0!, {r1, r2, r3, r4, r7}\n\t"                              \
    "ldr r5, [r0]\n\t"                                                                                       \
    "sub sp, #24\n\t"                                                                                        \
    "mov r0, sp\n\t"                                                                                         \
    "stmia r0!, {r1, r2, r3, r4, r5}\n\t"                                                                    \
    "mov r12, r4\n\t"                                                                                        \
    "movs r0, #0\n\t"                                                                                        \
    "mov lr, r0\n"
/* What a channel's outputs are stored with; the first one's address to r8, whose sum is in r2 then. */
#define RESCALES                                                                                             \
    "ldmia r7!, {r4, r5, r6}\n\t"                                                                            \
    "ldmia r7!, {r0, r1}\n\t"                                                                                \
    "str r7, [sp, #20]\n\t"                                                                                  \
    "mov r2, r8\n\t"                                                                                         \
    "ldr r3, [sp, #16]\n\t"                                                                                  \
    "add r3, lr\n\t"                                                                                         \
    "mov r8, r3\n\t"
/* On to the next channel. */
#define LEAVE                                                                                                \
    "ldr r7, [sp, #20]\n\t"                                                                                  \
    "mov r2, lr\n\t"                                                                                         \
    "adds r2, #1\n\t"                                                                                        \
    "mov lr, r2\n\t"                                                                                         \
    "ldr r3, [sp, #12]\n\t"                                                                                  \
    "cmp r2, r3\n\t"                                                                                         \
    "beq 2f\n\t"                                                                                             \
    "b 1b\n"                                                                                                 \
    "2:\n\t"                                                                                                 \
    "add sp, #24\n\t" DIMMER_RESTORE_ALL

/* Assembly, because a compiler spills: 246 instructions for the four outputs of a channel. r8..r11: sums. */
DIMMER_ASSEMBLY void dimmer_depthwise_four(const dimmer_depthwise_run_t *run DIMMER_REGISTER) {
    __asm__ volatile(ENTER "1:\n\t"
                           "ldmia r7!, {r2}\n\t"
                           "mov r8, r2\n\t"
                           "mov r9, r2\n\t"
                           "mov r10, r2\n\t"
                           "mov r11, r2\n\t" ROW_OF_FOUR("#0") ROW_OF_FOUR("#4") ROW_OF_FOUR("#8")
                               RESCALES DIMMER_STORE_SMALL "mov r2, r9\n\t" DIMMER_STORE_SMALL
                                                           "mov r2, r10\n\t" DIMMER_STORE_SMALL
                                                           "mov r2, r11\n\t" DIMMER_STORE_SMALL LEAVE);
}

DIMMER_ASSEMBLY void dimmer_depthwise_one(const dimmer_depthwise_run_t *run DIMMER_REGISTER) {
    __asm__ volatile(ENTER "1:\n\t"
                           "ldmia r7!, {r2}\n\t"
                           "mov r8, r2\n\t" ROW_OF_ONE("#0") ROW_OF_ONE("#4") ROW_OF_ONE("#8")
                               RESCALES DIMMER_STORE_SMALL LEAVE);
}

#endif
