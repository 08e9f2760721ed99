/* SPDX-License-Identifier: Apache-2.0 */
/* Sums of narrow products to outputs, a function for each number of bits and way to rescale. */
#include "narrow.h"

#include "../common/assembly.h"

#if defined(__ARM_FEATURE_DSP)

/* `sum` times its factor, bias included, to an output: as RESCALE of direct_dsp.c, but for sums that are
 * shifted to the left. r1 is whether there is a right shift, r6 the multiplier, r7 the rounding, r8 the right
 * shift. */
/* clang-format off */
#define WIDE(sum)                               \
    "and.w r10, r1, " sum ", asr #31\n\t"       \
    "add.w r10, r10, r7\n\t"                    \
    "smmlar " sum ", " sum ", r6, r10\n\t"      \
    "asr.w " sum ", " sum ", r8\n\t"            \
    "ssat " sum ", #8, " sum "\n\t"

#define LEFT(sum)                               \
    "smmlar " sum ", " sum ", r6, r7\n\t"       \
    "ssat " sum ", #8, " sum "\n\t"

/* Outputs from -128 on: a negative sum gives 0 however it is rounded. */
#define CLAMPED(sum, bits)                      \
    "smmlar " sum ", " sum ", r6, r7\n\t"       \
    "asr.w " sum ", " sum ", r8\n\t"            \
    "usat " sum ", #" bits ", " sum "\n\t"      \
    "orr " sum ", " sum ", #128\n\t"
#define CLAMPED_4(sum) CLAMPED(sum, "4")
#define CLAMPED_2(sum) CLAMPED(sum, "2")

/* The complete fields of a sum whose words are `low` and `high`; the last one takes the place of `low`. */
#define FIELDS_4(low, high, f0, f1)             \
    "ubfx " f0 ", " low ", #0, #13\n\t"         \
    "ubfx " f1 ", " low ", #13, #13\n\t"        \
    "lsr " low ", " low ", #26\n\t"             \
    "bfi " low ", " high ", #6, #7\n\t"
#define FIELDS_2(low, high, f0, f1, f2)         \
    "ubfx " f0 ", " low ", #0, #10\n\t"         \
    "ubfx " f1 ", " low ", #10, #10\n\t"        \
    "ubfx " f2 ", " low ", #20, #10\n\t"        \
    "lsr " low ", " low ", #30\n\t"             \
    "bfi " low ", " high ", #2, #8\n\t"

/* The constants of a channel, whose tail is at sp + 4. */
#define CONSTANTS                               \
    "ldr r10, [sp, #4]\n\t"                     \
    "ldmia.w r10, {r1, r3, r5-r8}\n\t"

/* r0 from a sum's first chunk to the next sum's; fields are in r11, r12, (lr,) r9. */
#define ONE_4                                   \
    "ldrd r9, r10, [r0], #8\n\t"                \
    FIELDS_4("r9", "r10", "r11", "r12")
#define ONE_2                                   \
    "ldrd r9, r10, [r0], #8\n\t"                \
    FIELDS_2("r9", "r10", "r11", "r12", "lr")

/* The same, the other chunks added: of at least two. */
#define OTHERS                                  \
    "ldr r1, [sp]\n\t"                          \
    "ldr r3, [r1, #32]\n\t"                     \
    "add r1, r0, #24\n"                         \
    "7:\n\t"                                    \
    "ldrd r5, r6, [r1], #32\n\t"                \
    "subs r3, r3, #1\n\t"
#define MANY_4                                  \
    ONE_4 OTHERS                                \
    FIELDS_4("r5", "r6", "r7", "r8")            \
    "add r11, r11, r7\n\t"                      \
    "add r12, r12, r8\n\t"                      \
    "add r9, r9, r5\n\t"                        \
    "cmp r3, #1\n\t"                            \
    "bne.n 7b\n\t"                              \
    CONSTANTS
#define MANY_2                                  \
    ONE_2 OTHERS                                \
    FIELDS_2("r5", "r6", "r7", "r8", "r10")     \
    "add r11, r11, r7\n\t"                      \
    "add r12, r12, r8\n\t"                      \
    "add lr, lr, r10\n\t"                       \
    "add r9, r9, r5\n\t"                        \
    "cmp r3, #1\n\t"                            \
    "bne.n 7b\n\t"                              \
    CONSTANTS

/* Three or four outputs from r2 on, r4 bytes apart; r3 is the factor, r5 the bias. */
#define OUTPUTS_4(RESCALE)                      \
    "mla r11, r11, r3, r5\n\t"                  \
    "mla r12, r12, r3, r5\n\t"                  \
    "mla r9, r9, r3, r5\n\t"                    \
    RESCALE("r11") RESCALE("r12") RESCALE("r9") \
    "strb r11, [r2]\n\t"                        \
    "strb r12, [r2, r4]\n\t"                    \
    "strb r9, [r2, r4, lsl #1]\n\t"
#define OUTPUTS_2(RESCALE)                      \
    "mla r11, r11, r3, r5\n\t"                  \
    "mla r12, r12, r3, r5\n\t"                  \
    "mla lr, lr, r3, r5\n\t"                    \
    "mla r9, r9, r3, r5\n\t"                    \
    RESCALE("r11") RESCALE("r12")               \
    RESCALE("lr") RESCALE("r9")                 \
    "add r10, r2, r4\n\t"                       \
    "strb r11, [r2]\n\t"                        \
    "strb r12, [r2, r4]\n\t"                    \
    "strb lr, [r2, r4, lsl #1]\n\t"             \
    "strb r9, [r10, r4, lsl #1]\n\t"

#define NEXT_4(output)                          \
    "add.w " output ", " output ", r4, lsl #1\n\t" \
    "add.w " output ", " output ", r4\n\t"
#define NEXT_2(output)                          \
    "add.w " output ", " output ", r4, lsl #2\n\t"

/* Both lanes of a channel. On the stack: 0 *row, 4 the channel's tail. */
#define CHANNEL(SUM, OUTPUTS, RESCALE)          \
    CONSTANTS                                   \
    SUM                                         \
    "ldr r2, [sp]\n\t"                          \
    "ldr r2, [r2, #16]\n\t"                     \
    OUTPUTS(RESCALE)                            \
    SUM                                         \
    "ldr r2, [sp]\n\t"                          \
    "ldr r2, [r2, #20]\n\t"                     \
    OUTPUTS(RESCALE)

#define RESULTS(SUM, OUTPUTS, RESCALE, NEXT)    \
    __asm__ volatile(                           \
        "push {r0, r1, r2, lr}\n\t"             \
        "ldr r4, [r0, #24]\n\t"                 \
        "ldr r0, [r0, #36]\n\t"                 \
        CHANNEL(SUM, OUTPUTS, RESCALE));        \
    __asm__ volatile(                           \
        "ldrd r9, r10, [sp]\n\t"                \
        "ldrd r2, r3, [r9, #16]\n\t"            \
        "add r10, r10, #24\n\t"                 \
        "add r2, r2, #1\n\t"                    \
        "add r3, r3, #1\n\t"                    \
        "str r10, [sp, #4]\n\t"                 \
        "strd r2, r3, [r9, #16]\n\t"            \
        CHANNEL(SUM, OUTPUTS, RESCALE)          \
        "ldr r9, [sp]\n\t"                      \
        "ldrd r2, r3, [r9, #16]\n\t"            \
        "sub r2, r2, #1\n\t"                    \
        "sub r3, r3, #1\n\t"                    \
        NEXT("r2")                              \
        NEXT("r3")                              \
        "strd r2, r3, [r9, #16]\n\t"            \
        "add sp, sp, #12\n\t"                   \
        "pop {pc}")

#define DEFINE(name, SUM, OUTPUTS, RESCALE, NEXT)                                   \
    DIMMER_ASSEMBLY static void name(dimmer_narrow_row_t *row DIMMER_REGISTER,      \
                                     const dimmer_narrow_tail_t *tail DIMMER_REGISTER) { \
        RESULTS(SUM, OUTPUTS, RESCALE, NEXT);                                       \
    }
/* clang-format on */

DEFINE(wide_4, ONE_4, OUTPUTS_4, WIDE, NEXT_4)
DEFINE(left_4, ONE_4, OUTPUTS_4, LEFT, NEXT_4)
DEFINE(clamped_4, ONE_4, OUTPUTS_4, CLAMPED_4, NEXT_4)
DEFINE(wide_4_many, MANY_4, OUTPUTS_4, WIDE, NEXT_4)
DEFINE(left_4_many, MANY_4, OUTPUTS_4, LEFT, NEXT_4)
DEFINE(clamped_4_many, MANY_4, OUTPUTS_4, CLAMPED_4, NEXT_4)
DEFINE(wide_2, ONE_2, OUTPUTS_2, WIDE, NEXT_2)
DEFINE(left_2, ONE_2, OUTPUTS_2, LEFT, NEXT_2)
DEFINE(clamped_2, ONE_2, OUTPUTS_2, CLAMPED_2, NEXT_2)
DEFINE(wide_2_many, MANY_2, OUTPUTS_2, WIDE, NEXT_2)
DEFINE(left_2_many, MANY_2, OUTPUTS_2, LEFT, NEXT_2)
DEFINE(clamped_2_many, MANY_2, OUTPUTS_2, CLAMPED_2, NEXT_2)

const dimmer_narrow_results_t dimmer_narrow_results_4[2][DIMMER_NARROW_KINDS] = {
    {wide_4, left_4, clamped_4}, {wide_4_many, left_4_many, clamped_4_many}};
const dimmer_narrow_results_t dimmer_narrow_results_2[2][DIMMER_NARROW_KINDS] = {
    {wide_2, left_2, clamped_2}, {wide_2_many, left_2_many, clamped_2_many}};

#endif
