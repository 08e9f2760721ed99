/* SPDX-License-Identifier: Apache-2.0 */
#include "helium.h"
#include "../common/assembly.h"

#if defined(__ARM_FEATURE_MVE)

#define TEXT_(x) #x
#define TEXT(x)  TEXT_(x)

/* On the stack: 0 the tile, 4 where the blocks of a run are entered, 8 the output, 12 rows and their end. */
#define ENTER                                                                                                \
    "push {r4-r11, lr}\n\t"                                                                                  \
    "vpush {d8-d15}\n\t"                                                                                     \
    "sub sp, sp, #20\n\t"                                                                                    \
    "str r0, [sp]\n\t"                                                                                       \
    "vldrh.16 q7, [r0, #32]\n\t"
/* The next tile side by side, if there is one, of the tile at `tile`. */
#define NEXT_TILE(tile)                                                                                      \
    "ldr r8, [" tile ", #28]\n\t"                                                                            \
    "subs r8, #1\n\t"                                                                                        \
    "str r8, [" tile ", #28]\n\t"                                                                            \
    "bne.w 0b\n\t"
#define EXIT                                                                                                 \
    "add sp, sp, #20\n\t"                                                                                    \
    "vpop {d8-d15}\n\t"                                                                                      \
    "pop {r4-r11, pc}"

/* The eight sums begin with the biases, and what follows the weights takes their place. */
#define NUMBERS "ldmia.w r1!, {r0, r2, r4, r6, r8, r10, r12, lr}\n\t"

#define PACK(first, second)                                                                                  \
    "vmov " first "[2], " first "[0], r0, r4\n\t"                                                            \
    "vmov " first "[3], " first "[1], r2, r6\n\t"                                                            \
    "vmov " second "[2], " second "[0], r8, r12\n\t"                                                         \
    "vmov " second "[3], " second "[1], r10, lr\n\t"

/* VQRDMULH and VRSHL round a half up; TFLite's second rounding, where there is one, takes that of a negative
 * number down. */
#define HALVES_DOWN(q, rounds)                                                                               \
    "vshr.s32 q2, " q ", #31\n\t"                                                                            \
    "vmla.s32 " q ", q2, " rounds "\n\t"
#define HALVES_UP(q, rounds)

/* Sums of a pair to results. Lanes become channel, next channel, of one pixel after the other. Saturation to
 * 16 bits on the way changes nothing: the zero point has 8. */
#define RESULTS(first, second, halves)                                                                       \
    PACK(first, second)                                                                                      \
    NUMBERS                                                                                                  \
    "vqrdmulh.s32 " first ", " first ", r0\n\t"                                                              \
    "vqrdmulh.s32 " second ", " second ", r4\n\t" halves(first, "r12")                                       \
        halves(second, "lr") "vrshl.s32 " first ", r2\n\t"                                                   \
                             "vrshl.s32 " second ", r6\n\t"                                                  \
                             "vqmovnb.s32 " first ", " first "\n\t"                                          \
                             "vqmovnt.s32 " first ", " second "\n\t"                                         \
                             "vqadd.s16 " first ", " first ", r10\n\t"                                       \
                             "vqmovnb.s16 " first ", " first "\n\t"

/* Stores them at `output`, which moves on to the next pair: carry says that it went back, behind the last. */
#define STORE(first, output)                                                                                 \
    "vstrb.16 " first ", [" output ", q7]\n\t"                                                               \
    "adds.w " output ", " output ", r8\n\t"

/* Where the output does not stay in a register. */
#define STORE_FROM_STACK                                                                                     \
    "ldr r5, [sp, #8]\n\t" STORE("q0", "r5") "str r5, [sp, #8]\n\t"                                          \
                                             "bcc.w 1b\n\t"

/* A row of three columns of the window: six columns of the input serve four pixels. */
#define TAP_TO(a, b, c, d, second, next)                                                                     \
    "vldrb.8 q6, [r1], " second "\n\t"                                                                       \
    "vmladava.s8 r0, " a ", q6\n\t"                                                                          \
    "vmladava.s8 r2, " b ", q6\n\t"                                                                          \
    "vmladava.s8 r4, " c ", q6\n\t"                                                                          \
    "vmladava.s8 r6, " d ", q6\n\t"                                                                          \
    "vldrb.8 q6, [r1], " next "\n\t"                                                                         \
    "vmladava.s8 r8, " a ", q6\n\t"                                                                          \
    "vmladava.s8 r10, " b ", q6\n\t"                                                                         \
    "vmladava.s8 r12, " c ", q6\n\t"                                                                         \
    "vmladava.s8 lr, " d ", q6\n\t"
#define TAP(a, b, c, d) TAP_TO(a, b, c, d, "#16", "#16")
#define ROW(from)                                                                                            \
    "vldrb.8 q0, [" from "]\n\t"                                                                             \
    "vldrb.8 q1, [" from ", #16]\n\t"                                                                        \
    "vldrb.8 q2, [" from ", #32]\n\t"                                                                        \
    "vldrb.8 q3, [" from ", #48]\n\t"                                                                        \
    "vldrb.8 q4, [" from ", #64]\n\t"                                                                        \
    "vldrb.8 q5, [" from ", #80]\n\t" TAP("q0", "q1", "q2", "q3") TAP("q1", "q2", "q3", "q4")                \
        TAP("q2", "q3", "q4", "q5")
/* The same for windows two columns apart: the first, the third and the second column of the window. A column
 * of the input 128 bytes away is out of the reach of VLDRB. */
#define ODD_ROW(from)                                                                                        \
    "vldrb.8 q0, [" from "]\n\t"                                                                             \
    "vldrb.8 q1, [" from ", #32]\n\t"                                                                        \
    "vldrb.8 q2, [" from ", #64]\n\t"                                                                        \
    "vldrb.8 q3, [" from                                                                                     \
    ", #96]\n\t" TAP_TO("q0", "q1", "q2", "q3", "#16", "#48") "vldrw.32 q0, [" from ", #128]\n\t" TAP_TO(    \
        "q1", "q2", "q3", "q0", "#16", "#-48") "vldrb.8 q0, [" from ", #16]\n\t"                             \
                                               "vldrb.8 q1, [" from ", #48]\n\t"                             \
                                               "vldrb.8 q2, [" from ", #80]\n\t"                             \
                                               "vldrb.8 q3, [" from                                          \
                                               ", #112]\n\t" TAP_TO("q0", "q1", "q2", "q3", "#16", "#48")

/* Rows and the output move on behind each tile. */
#define COLUMNS(row, halves)                                                                                 \
    __asm__ volatile(ENTER "mov r11, r0\n\t"                                                                 \
                           "ldrd r2, r3, [r0]\n\t"                                                           \
                           "strd r2, r3, [sp, #12]\n\t"                                                      \
                           "ldr r2, [r0, #24]\n\t"                                                           \
                           "str r2, [sp, #8]\n"                                                              \
                           "0:\n\t"                                                                          \
                           "ldr r1, [r11, #20]\n"                                                            \
                           "1:\n\t" NUMBERS "ldrd r5, r11, [sp, #12]\n"                                      \
                           "2:\n\t"                                                                          \
                           "ldmia.w r5!, {r3, r7, r9}\n\t" row("r3") row("r7")                               \
                               row("r9") "cmp r5, r11\n\t"                                                   \
                                         "bne.w 2b\n\t" RESULTS("q0", "q1", halves) STORE_FROM_STACK         \
                     "ldr r11, [sp]\n\t"                                                                     \
                     "ldrd r6, r8, [r11, #48]\n\t"                                                           \
                     "ldrd r7, r3, [sp, #12]\n\t"                                                            \
                     "add r5, r8\n\t"                                                                        \
                     "str r5, [sp, #8]\n"                                                                    \
                     "3:\n\t"                                                                                \
                     "ldmia.w r7, {r0, r2, r4}\n\t"                                                          \
                     "add r0, r6\n\t"                                                                        \
                     "add r2, r6\n\t"                                                                        \
                     "add r4, r6\n\t"                                                                        \
                     "stmia.w r7!, {r0, r2, r4}\n\t"                                                         \
                     "cmp r7, r3\n\t"                                                                        \
                     "bne 3b\n\t" NEXT_TILE("r11") "str r5, [r11, #24]\n\t" EXIT)

/* The same of a single slice: its rows and the output stay in registers. */
#define SLICE(row, halves)                                                                                   \
    __asm__ volatile(                                                                                        \
        ENTER "ldr r11, [r0, #24]\n\t"                                                                       \
              "ldr r5, [r0]\n\t"                                                                             \
              "ldmia.w r5, {r3, r7, r9}\n"                                                                   \
              "0:\n\t"                                                                                       \
              "ldr r1, [r0, #20]\n"                                                                          \
              "1:\n\t" NUMBERS row("r3") row("r7") row("r9") RESULTS("q0", "q1", halves)                     \
                  STORE("q0", "r11") "bcc.w 1b\n\t"                                                          \
                                     "ldr r0, [sp]\n\t"                                                      \
                                     "ldrd r2, r4, [r0, #48]\n\t"                                            \
                                     "add r3, r2\n\t"                                                        \
                                     "add r7, r2\n\t"                                                        \
                                     "add r9, r2\n\t"                                                        \
                                     "add r11, r4\n\t" NEXT_TILE("r0") "str r11, [r0, #24]\n\t"              \
                                                                       "stmia.w r5, {r3, r7, r9}\n\t" EXIT)

/* A block of a run, 56 bytes of code: dimmer_tile_run enters in between. */
#define BLOCK_BYTES 56
#define PIXEL(from, sum, next)                                                                               \
    "vldrb.8 q0, [" from "], #16\n\t"                                                                        \
    "vmladava.s8 " sum ", q0, q4\n\t"                                                                        \
    "vmladava.s8 " next ", q0, q5\n\t"
#define BLOCK                                                                                                \
    "vldrb.8 q4, [r1], #16\n\t"                                                                              \
    "vldrb.8 q5, [r1], #16\n\t" PIXEL("r3", "r0", "r8") PIXEL("r5", "r2", "r10") PIXEL("r7", "r4", "r12")    \
        PIXEL("r9", "r6", "lr")

/* Assembly, because the sums take every even register but the stack pointer. Four blocks make a turn; the
 * first one begins where as many are left as there are more than a multiple of four. */
#define RUN(halves)                                                                                          \
    __asm__ volatile(ENTER "mov r11, r0\n\t"                                                                 \
                           "ldr r2, [r11, #24]\n\t"                                                          \
                           "str r2, [sp, #8]\n\t"                                                            \
                           "ldr r2, [r11, #16]\n\t"                                                          \
                           "rsb r2, r2, #0\n\t"                                                              \
                           "ubfx r2, r2, #5, #2\n\t"                                                         \
                           "movs r3, #" TEXT(BLOCK_BYTES) "\n\t"                                             \
                                                          "mul r2, r2, r3\n\t"                               \
                                                          "adr.w r3, 2f\n\t"                                 \
                                                          "add.w r2, r2, r3\n\t"                             \
                                                          "orr r2, r2, #1\n\t"                               \
                                                          "str r2, [sp, #4]\n"                               \
                                                          "0:\n\t"                                           \
                                                          "ldr r1, [r11, #20]\n"                             \
                                                          "1:\n\t" NUMBERS "ldr r11, [sp]\n\t"               \
                                                          "ldmia.w r11, {r3, r5, r7, r9}\n\t"                \
                                                          "ldr r11, [r11, #16]\n\t"                          \
                                                          "add r11, r1\n\t"                                  \
                                                          "ldr.w pc, [sp, #4]\n\t"                           \
                                                          ".balign 4\n"                                      \
                                                          "2:\n\t" BLOCK BLOCK BLOCK BLOCK "cmp r1, r11\n\t" \
                                                          "bne.w 2b\n\t" RESULTS("q0", "q1", halves)         \
                                                              STORE_FROM_STACK                               \
                     "ldr r11, [sp]\n\t"                                                                     \
                     "mov r6, r5\n\t"                                                                        \
                     "ldrd r2, r4, [r11, #48]\n\t"                                                           \
                     "ldmia.w r11, {r3, r5, r7, r9}\n\t"                                                     \
                     "add r3, r2\n\t"                                                                        \
                     "add r5, r2\n\t"                                                                        \
                     "add r7, r2\n\t"                                                                        \
                     "add r9, r2\n\t"                                                                        \
                     "add r6, r4\n\t"                                                                        \
                     "stmia.w r11, {r3, r5, r7, r9}\n\t"                                                     \
                     "str r6, [sp, #8]\n\t" NEXT_TILE("r11") EXIT)

/* Up to eight blocks, whose places are known: a pair's weights come last block first. */
#define KEPT_PIXEL(from, at, sum, next)                                                                      \
    "vldrb.8 q0, [" from ", #" at "]\n\t"                                                                    \
    "vmladava.s8 " sum ", q0, q4\n\t"                                                                        \
    "vmladava.s8 " next ", q0, q5\n\t"
#define KEPT_BLOCK(at)                                                                                       \
    "vldrb.8 q4, [r1], #16\n\t"                                                                              \
    "vldrb.8 q5, [r1], #16\n\t" KEPT_PIXEL("r3", at, "r0", "r8") KEPT_PIXEL("r5", at, "r2", "r10")           \
        KEPT_PIXEL("r7", at, "r4", "r12") KEPT_PIXEL("r9", at, "r6", "lr")
#define KEPT_ENTER                                                                                           \
    ENTER "ldr r11, [r0, #24]\n\t"                                                                           \
          "ldmia.w r0, {r3, r5, r7, r9}\n\t"
#define KEPT_LEAVE(first, second, halves)                                                                    \
    RESULTS(first, second, halves)                                                                           \
    STORE(first, "r11")                                                                                      \
    "bcc.w 1b\n\t"                                                                                           \
    "ldr r0, [sp]\n\t"                                                                                       \
    "ldrd r2, r4, [r0, #48]\n\t"                                                                             \
    "add r3, r2\n\t"                                                                                         \
    "add r5, r2\n\t"                                                                                         \
    "add r7, r2\n\t"                                                                                         \
    "add r9, r2\n\t"                                                                                         \
    "add r11, r4\n\t" NEXT_TILE("r0") EXIT

#define SHORT_RUN(halves)                                                                                    \
    __asm__ volatile(                                                                                        \
        KEPT_ENTER "ldr r2, [r0, #16]\n\t"                                                                   \
                   "rsb r2, r2, #256\n\t"                                                                    \
                   "lsrs r2, r2, #5\n\t"                                                                     \
                   "movs r4, #" TEXT(BLOCK_BYTES) "\n\t"                                                     \
                                                  "mul r2, r2, r4\n\t"                                       \
                                                  "adr.w r4, 2f\n\t"                                         \
                                                  "add.w r2, r2, r4\n\t"                                     \
                                                  "orr r2, r2, #1\n\t"                                       \
                                                  "str r2, [sp, #4]\n"                                       \
                                                  "0:\n\t"                                                   \
                                                  "ldr r1, [r0, #20]\n"                                      \
                                                  "1:\n\t" NUMBERS "ldr.w pc, [sp, #4]\n\t"                  \
                                                  ".balign 4\n"                                              \
                                                  "2:\n\t" KEPT_BLOCK("112") KEPT_BLOCK("96")                \
                                                      KEPT_BLOCK("80") KEPT_BLOCK("64") KEPT_BLOCK("48")     \
                                                          KEPT_BLOCK("32") KEPT_BLOCK("16") KEPT_BLOCK("0")  \
                                                              KEPT_LEAVE("q0", "q1", halves))

#define ONE_BLOCK(halves)                                                                                    \
    __asm__ volatile(KEPT_ENTER "0:\n\t"                                                                     \
                                "ldr r1, [r0, #20]\n\t"                                                      \
                                "vldrb.8 q0, [r3]\n\t"                                                       \
                                "vldrb.8 q1, [r5]\n\t"                                                       \
                                "vldrb.8 q3, [r7]\n\t"                                                       \
                                "vldrb.8 q4, [r9]\n"                                                         \
                                "1:\n\t" NUMBERS "vldrb.8 q5, [r1], #16\n\t"                                 \
                                "vldrb.8 q6, [r1], #16\n\t"                                                  \
                                "vmladava.s8 r0, q0, q5\n\t"                                                 \
                                "vmladava.s8 r2, q1, q5\n\t"                                                 \
                                "vmladava.s8 r4, q3, q5\n\t"                                                 \
                                "vmladava.s8 r6, q4, q5\n\t"                                                 \
                                "vmladava.s8 r8, q0, q6\n\t"                                                 \
                                "vmladava.s8 r10, q1, q6\n\t"                                                \
                                "vmladava.s8 r12, q3, q6\n\t"                                                \
                                "vmladava.s8 lr, q4, q6\n\t" KEPT_LEAVE("q5", "q6", halves))

/* Each inner loop, and the same where no result below the output's zero point is kept. */
#define LOOP(name, loop)                                                                                     \
    DIMMER_ASSEMBLY void name(dimmer_tile_t *tile DIMMER_REGISTER) {                                         \
        loop(HALVES_DOWN);                                                                                   \
    }                                                                                                        \
    DIMMER_ASSEMBLY void name##_relu(dimmer_tile_t *tile DIMMER_REGISTER) {                                  \
        loop(HALVES_UP);                                                                                     \
    }
#define EVEN_COLUMNS(halves) COLUMNS(ROW, halves)
#define ODD_COLUMNS(halves)  COLUMNS(ODD_ROW, halves)
#define EVEN_SLICE(halves)   SLICE(ROW, halves)
#define ODD_SLICE(halves)    SLICE(ODD_ROW, halves)

LOOP(dimmer_tile_run, RUN)
LOOP(dimmer_tile_short, SHORT_RUN)
LOOP(dimmer_tile_block, ONE_BLOCK)
LOOP(dimmer_tile_columns, EVEN_COLUMNS)
LOOP(dimmer_tile_odd_columns, ODD_COLUMNS)
LOOP(dimmer_tile_slice, EVEN_SLICE)
LOOP(dimmer_tile_odd_slice, ODD_SLICE)

#endif
