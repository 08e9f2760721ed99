/* SPDX-License-Identifier: Apache-2.0 */
#include "helium_window.h"
#include "../common/assembly.h"

#if defined(__ARM_FEATURE_MVE)

/* As in helium_tile_mve.c. */
#define HALVES_DOWN(q, spare)                                                                                \
    "vshr.s32 " spare ", " q ", #31\n\t"                                                                     \
    "vadd.i32 " q ", " q ", " spare "\n\t"
#define HALVES_UP(q, spare)

#define ENTER                                                                                                \
    "push {r4-r11, lr}\n\t"                                                                                  \
    "vpush {d8-d15}\n\t"                                                                                     \
    "mov r5, r0\n\t"

/* Turns side by side. */
#define TURN                                                                                                 \
    "ldr r2, [r5, #24]\n\t"                                                                                  \
    "vmsr p0, r2\n"                                                                                          \
    "0:\n\t"                                                                                                 \
    "ldmia.w r5, {r1, r3, r7, r9, r11, lr}\n"

#define PACK(q)                                                                                              \
    "vmov " q "[2], " q "[0], r0, r4\n\t"                                                                    \
    "vmov " q "[3], " q "[1], r2, r6\n\t"

/* Saturates two vectors that are rescaled, and stores them. */
#define STORE(first, second, places)                                                                         \
    "vqmovnb.s32 " first ", " first "\n\t"                                                                   \
    "vqmovnt.s32 " first ", " second "\n\t"                                                                  \
    "vqadd.s16 " first ", " first ", r11\n\t"                                                                \
    "vqmovnb.s16 " first ", " first "\n\t"                                                                   \
    "vpst\n\t"                                                                                               \
    "vstrbt.16 " first ", [r9, " places "]\n\t"

#define LEAVE                                                                                                \
    "ldr r4, [r5, #28]\n\t"                                                                                  \
    "ldrd r0, r2, [r5, #112]\n\t"                                                                            \
    "ldr r1, [r5, #4]\n\t"                                                                                   \
    "ldr r3, [r5, #12]\n\t"                                                                                  \
    "cmp r4, #2\n\t"                                                                                         \
    "it eq\n\t"                                                                                              \
    "ldrdeq r0, r2, [r5, #120]\n\t"                                                                          \
    "add r1, r0\n\t"                                                                                         \
    "add r3, r2\n\t"                                                                                         \
    "str r1, [r5, #4]\n\t"                                                                                   \
    "str r3, [r5, #12]\n\t"                                                                                  \
    "subs r4, #1\n\t"                                                                                        \
    "str r4, [r5, #28]\n\t"                                                                                  \
    "bne.w 0b\n\t"                                                                                           \
    "vpop {d8-d15}\n\t"                                                                                      \
    "pop {r4-r11, pc}"

/* One vector of 4x4 inputs holds the windows of four outputs: two side by side, in two rows. */
#define ROW(result)                                                                                          \
    "vldrb.8 q2, [r1], #4\n\t"                                                                               \
    "vldrb.8 q3, [r1], #16\n\t"                                                                              \
    "vmladava.s8 r2, q0, q2\n\t"                                                                             \
    "vmladava.s8 r6, q1, q2\n\t"                                                                             \
    "vmladava.s8 r0, q0, q3\n\t"                                                                             \
    "vmladava.s8 r4, q1, q3\n\t" PACK(result)
#define PAIRS(halves)                                                                                        \
    __asm__ volatile(                                                                                        \
        ENTER "vldrh.16 q5, [r5, #32]\n\t"                                                                   \
              "vldrw.32 q6, [r5, #48]\n\t"                                                                   \
              "vldrw.32 q7, [r5, #64]\n" TURN "1:\n\t"                                                       \
              "ldmia.w r7, {r0, r2, r4, r6}\n\t"                                                             \
              "vldrw.32 q0, [r3, q6]\n\t"                                                                    \
              "vldrw.32 q1, [r3, q7]\n\t" ROW("q4") "ldmia.w r7!, {r0, r2, r4, r6, r8, r10}\n\t" ROW(        \
                  "q0") "adds r3, #4\n\t"                                                                    \
                        "vqrdmulh.s32 q4, q4, r8\n\t"                                                        \
                        "vqrdmulh.s32 q0, q0, r8\n\t" halves("q4", "q1")                                     \
                            halves("q0", "q2") "vrshl.s32 q4, r10\n\t"                                       \
                                               "vrshl.s32 q0, r10\n\t" STORE("q4", "q0",                     \
                                                                             "q5") "adds r9, #1\n\t"         \
                                                                                   "le lr, 1b\n\t" LEAVE)

/* Four windows of a channel, then of the next. */
#define FOUR(weights, result)                                                                                \
    "ldmia.w r7!, {r0, r2, r4, r6, r8, r10}\n\t"                                                             \
    "vldrw.32 q0, [r3, q4]\n\t"                                                                              \
    "vmladava.s8 r0, q0, " weights "\n\t"                                                                    \
    "vldrw.32 q0, [r3, q5]\n\t"                                                                              \
    "vmladava.s8 r2, q0, " weights "\n\t"                                                                    \
    "vldrw.32 q0, [r3, q6]\n\t"                                                                              \
    "vmladava.s8 r4, q0, " weights "\n\t"                                                                    \
    "vldrw.32 q0, [r3, q7]\n\t"                                                                              \
    "vmladava.s8 r6, q0, " weights "\n\t" PACK(result) "adds r3, #4\n\t"                                     \
                                                       "vqrdmulh.s32 " result ", " result ", r8\n\t"

#define SINGLES(halves)                                                                                      \
    __asm__ volatile(ENTER "vldrh.16 q3, [r5, #32]\n\t"                                                      \
                           "vldrw.32 q4, [r5, #48]\n\t"                                                      \
                           "vldrw.32 q5, [r5, #64]\n\t"                                                      \
                           "vldrw.32 q6, [r5, #80]\n\t"                                                      \
                           "vldrw.32 q7, [r5, #96]\n" TURN "1:\n\t"                                          \
                           "vldrb.8 q1, [r1], #16\n\t"                                                       \
                           "vldrb.8 q2, [r1], #16\n\t" FOUR("q1", "q1")                                      \
                               halves("q1", "q0") "vrshl.s32 q1, r10\n\t" FOUR("q2", "q2")                   \
                                   halves("q2", "q0") "vrshl.s32 q2, r10\n\t" STORE(                         \
                                       "q1", "q2", "q3") "adds r9, #2\n\t"                                   \
                                                         "le lr, 1b\n\t" LEAVE)

/* `then` is "t" where less than 16 channels are read. */
#define COLUMN(then)                                                                                         \
    "vldrb" then ".8 q0, [r1]\n\t"                                                                           \
    "vldrb" then ".8 q1, [r2]\n\t"                                                                           \
    "vldrb" then ".8 q2, [r3]\n\t"                                                                           \
    "vldrb" then ".8 q3, [r4]\n\t"                                                                           \
    "add r1, r5\n\t"                                                                                         \
    "add r2, r6\n\t"                                                                                         \
    "vst40.8 {q0, q1, q2, q3}, [r9]\n\t"                                                                     \
    "vst41.8 {q0, q1, q2, q3}, [r9]\n\t"                                                                     \
    "vst42.8 {q0, q1, q2, q3}, [r9]\n\t"                                                                     \
    "vst43.8 {q0, q1, q2, q3}, [r9]\n\t"                                                                     \
    "add r3, r7\n\t"                                                                                         \
    "add r4, r8\n\t"                                                                                         \
    "add r9, r10\n\t"

DIMMER_ASSEMBLY void dimmer_window_columns(const dimmer_columns_t *columns DIMMER_REGISTER) {
    __asm__ volatile("push {r4-r11, lr}\n\t"
                     "ldmia.w r0, {r1-r12}\n\t"
                     "vctp.8 r12\n\t"
                     "cmp r12, #16\n\t"
                     "dls lr, r11\n\t"
                     "beq 2f\n"
                     "1:\n\t"
                     "vpstttt\n\t" COLUMN("t") "le lr, 1b\n\t"
                                               "pop {r4-r11, pc}\n"
                                               "2:\n\t" COLUMN("") "le lr, 2b\n\t"
                                                                   "pop {r4-r11, pc}");
}

DIMMER_ASSEMBLY void dimmer_window_pairs(dimmer_window_t *window DIMMER_REGISTER) {
    PAIRS(HALVES_DOWN);
}

DIMMER_ASSEMBLY void dimmer_window_pairs_relu(dimmer_window_t *window DIMMER_REGISTER) {
    PAIRS(HALVES_UP);
}

DIMMER_ASSEMBLY void dimmer_window_singles(dimmer_window_t *window DIMMER_REGISTER) {
    SINGLES(HALVES_DOWN);
}

DIMMER_ASSEMBLY void dimmer_window_singles_relu(dimmer_window_t *window DIMMER_REGISTER) {
    SINGLES(HALVES_UP);
}

#endif
