/* SPDX-License-Identifier: Apache-2.0 */
#include "narrow.h"

#include "direct.h"

#if defined(__ARM_FEATURE_DSP)

#include "slices.h"

/* 28 bytes of code: the sum may be entered between two terms. Single loads, as four in a row take 5 cycles (a
 * load behind another one waits for nothing, Cortex-M4 TRM, 3.3) and two of two words 6. */
#define TERM(at, next)                                                                                       \
    "ldr.n r0, [r2, #" at "]\n\t"                                                                            \
    "ldr.n r3, [r2, #" next "]\n\t"                                                                          \
    "ldr.w r12, [r1, #" at "]\n\t"                                                                           \
    "ldr.w lr, [r1, #" next "]\n\t"                                                                          \
    "smlal r4, r5, r0, r12\n\t"                                                                              \
    "smlal r6, r7, r3, r12\n\t"                                                                              \
    "smlal r8, r9, r0, lr\n\t"                                                                               \
    "smlal r10, r11, r3, lr\n\t"

#define SIXTEEN_TERMS                                                                                        \
    TERM("0", "4")                                                                                           \
    TERM("8", "12")                                                                                          \
    TERM("16", "20")                                                                                         \
    TERM("24", "28")                                                                                         \
    TERM("32", "36")                                                                                         \
    TERM("40", "44")                                                                                         \
    TERM("48", "52")                                                                                         \
    TERM("56", "60")                                                                                         \
    TERM("64", "68")                                                                                         \
    TERM("72", "76")                                                                                         \
    TERM("80", "84")                                                                                         \
    TERM("88", "92")                                                                                         \
    TERM("96", "100")                                                                                        \
    TERM("104", "108")                                                                                       \
    TERM("112", "116")                                                                                       \
    TERM("120", "124")

/* Carries the upper fields of a sum, whose lower word they leave, into the lower ones, and begins anew. */
#define CARRY(low, high, from_low, from_high, shift)                                                         \
    "adds.w " low ", " from_low ", " high ", asr #" shift "\n\t"                                             \
    "adc.w " high ", " from_high ", " high ", asr #31\n\t"

/* clang-format off */
/* On the stack: 0 the end of the chunk's pixels, 4 the chunks that are left, 8 the sums of this one, 12 where its
 * terms are entered, 16 the bytes before them that the first turn leaves out, 20 bytes of a chunk's pixels, 24 *row.
 * Sixteen terms make a turn; the first one begins where as many are left as there are more than a multiple of 16. */
/* Two strings, as C promises 4095 characters in one. */
#define ROW(shift)                               \
    __asm__ volatile(                            \
        "push {r0, r4-r11, lr}\n\t"              \
        "sub sp, sp, #24\n\t"                    \
        "ldr r1, [r0, #8]\n\t"                   \
        "str r1, [sp, #20]\n\t"                  \
        "rsb r1, r1, #0\n\t"                     \
        "and r1, r1, #120\n\t"                   \
        "str r1, [sp, #16]\n\t"                  \
        "rsb r1, r1, r1, lsl #3\n\t"             \
        "adr.w r2, 3f\n\t"                       \
        "add.w r1, r2, r1, lsr #1\n\t"           \
        "orr r1, r1, #1\n\t"                     \
        "str r1, [sp, #12]\n"                    \
        "1:\n\t"                                 \
        "ldrd r1, r2, [r0]\n\t"                  \
        "ldrd r3, r4, [r0, #32]\n\t"             \
        "strd r3, r4, [sp, #4]\n"                \
        "2:\n\t"                                 \
        "ldr r3, [sp, #20]\n\t"                  \
        "ldr r0, [sp, #8]\n\t"                   \
        "ldmia.w r0, {r4-r11}\n\t"               \
        "add r3, r3, r2\n\t"                     \
        "str r3, [sp]\n\t"                       \
        "ldmia.w r1!, {r0, r3, r12, lr}\n\t"     \
        CARRY("r4", "r5", "r0", "r3", shift)     \
        CARRY("r6", "r7", "r0", "r3", shift)     \
        CARRY("r8", "r9", "r12", "lr", shift)    \
        CARRY("r10", "r11", "r12", "lr", shift)  \
        "ldrd r0, r3, [sp, #12]\n\t"             \
        "sub r1, r1, r3\n\t"                     \
        "sub r2, r2, r3\n\t"                     \
        "bx r0\n\t"                              \
        ".balign 4\n"                            \
        "3:\n\t");                               \
    __asm__ volatile(                            \
        SIXTEEN_TERMS                            \
        "ldr r0, [sp]\n\t"                       \
        "add r1, r1, #128\n\t"                   \
        "add r2, r2, #128\n\t"                   \
        "cmp r2, r0\n\t"                         \
        "bne.w 3b\n\t"                           \
        "ldrd r3, r0, [sp, #4]\n\t"              \
        "stmia.w r0!, {r4-r11}\n\t"              \
        "subs r3, r3, #1\n\t"                    \
        "strd r3, r0, [sp, #4]\n\t"              \
        "bne.w 2b\n\t"                           \
        "ldr r0, [sp, #24]\n\t"                  \
        "ldr r3, [r0, #12]\n\t"                  \
        "ldr r12, [r0, #40]\n\t"                 \
        "add r2, r2, r3\n\t"                     \
        "str r2, [r0, #4]\n\t"                   \
        "blx r12\n\t"                            \
        "ldr r0, [sp, #24]\n\t"                  \
        "ldr r3, [r0, #28]\n\t"                  \
        "subs r3, r3, #1\n\t"                    \
        "str r3, [r0, #28]\n\t"                  \
        "bne.w 1b\n\t"                           \
        "add sp, sp, #28\n\t"                    \
        "pop {r4-r11, pc}")
/* clang-format on */

DIMMER_ASSEMBLY void dimmer_narrow_row_4(dimmer_narrow_row_t *row DIMMER_REGISTER) {
    ROW("7");
}

DIMMER_ASSEMBLY void dimmer_narrow_row_2(dimmer_narrow_row_t *row DIMMER_REGISTER) {
    ROW("8");
}

DIMMER_ASSEMBLY void dimmer_narrow_tile(dimmer_narrow_row_t *row DIMMER_REGISTER,
                                        const dimmer_narrow_tail_t *tail DIMMER_REGISTER) {
    __asm__ volatile("push {r3-r11, lr}\n\t"
                     "ldr r12, [r0, #40]\n\t"
                     "blx r12\n\t"
                     "pop {r3-r11, pc}");
}

static inline uint32_t four_bytes(const int8_t *at) {
    uint32_t word;

    memcpy(&word, at, sizeof word);
    return word;
}

/* Input `i` of four: codes begin at -128, whose lower bits are 0. */
#define INPUT(word, i, bits) (((word) >> (8u * (i))) & ((1u << (bits)) - 1u))

/* What the table has for it. */
#define LOOKED_UP(word, i, bits) ((uint32_t)table[((word) >> (8u * (i))) & 0xFFu])

#define THREE(value, i) (int32_t)(value(x, i, 4u) | value(y, i, 4u) << 13 | value(z, i, 4u) << 26)
#define FOUR(value, i)                                                                                       \
    (int32_t)(value(x, i, 2u) | value(y, i, 2u) << 10 | value(z, i, 2u) << 20 | TOP(value, i))
#define STORE_INPUTS(WORD, value)                                                                            \
    to[0] = WORD(value, 0);                                                                                  \
    to[2] = WORD(value, 1);                                                                                  \
    to[4] = WORD(value, 2);                                                                                  \
    to[6] = WORD(value, 3)

static void three_inputs(const int8_t *const columns[DIMMER_NARROW_MAX_PIXELS], uint32_t channels,
                         const uint8_t *table, int32_t *to) {
    const int8_t *a = columns[0];
    const int8_t *b = columns[1];
    const int8_t *c = columns[2];
    const int8_t *const end = a + channels;

    if (table == NULL) {
        for (; a != end; a += 4, b += 4, c += 4, to += 8) {
            const uint32_t x = four_bytes(a);
            const uint32_t y = four_bytes(b);
            const uint32_t z = four_bytes(c);

            STORE_INPUTS(THREE, INPUT);
        }
    } else {
        for (; a != end; a += 4, b += 4, c += 4, to += 8) {
            const uint32_t x = four_bytes(a);
            const uint32_t y = four_bytes(b);
            const uint32_t z = four_bytes(c);

            STORE_INPUTS(THREE, LOOKED_UP);
        }
    }
}

static void four_inputs(const int8_t *const columns[DIMMER_NARROW_MAX_PIXELS], uint32_t channels,
                        const uint8_t *table, int32_t *to) {
    const int8_t *a = columns[0];
    const int8_t *b = columns[1];
    const int8_t *c = columns[2];
    const int8_t *d = columns[3];
    const int8_t *const end = a + channels;

    if (table == NULL) {
        for (; a != end; a += 4, b += 4, c += 4, d += 4, to += 8) {
            const uint32_t x = four_bytes(a);
            const uint32_t y = four_bytes(b);
            const uint32_t z = four_bytes(c);
            const uint32_t top = four_bytes(d) ^ 0x02020202u; /* less 2, in two bits */

#define TOP(value, i) top >> (8u * (i)) << 30
            STORE_INPUTS(FOUR, INPUT);
#undef TOP
        }
    } else {
        for (; a != end; a += 4, b += 4, c += 4, d += 4, to += 8) {
            const uint32_t x = four_bytes(a);
            const uint32_t y = four_bytes(b);
            const uint32_t z = four_bytes(c);
            const uint32_t top = four_bytes(d);

#define TOP(value, i) (value(top, i, 2u) ^ 2u) << 30
            STORE_INPUTS(FOUR, LOOKED_UP);
#undef TOP
        }
    }
}

void dimmer_narrow_blank(uint32_t channels, uint32_t bits, int32_t *to) {
    const int32_t word = bits == 2u ? INT32_MIN : 0;
    int32_t *const end = to + 2u * channels;

    for (; to != end; to += 8) {
        to[0] = word;
        to[2] = word;
        to[4] = word;
        to[6] = word;
    }
}

/* The upper bits of byte i, with their sign. */
#define SLICE(word, i, bits) ((int32_t)((word) << (24u - 8u * (i))) >> (32u - (bits)))

/* Four channels of two or three taps, from words that `dimmer_rounded_codes` gave. */
#define WORD_2(i, bits, scale) (SLICE(x, i, bits) + SLICE(y, i, bits) * (scale))
#define WORD_3(i, bits, scale) (WORD_2(i, bits, scale) + SLICE(z, i, bits) * (scale) * (scale))
#define STORE(WORD, bits, scale)                                                                             \
    to[0] = WORD(0u, bits, scale);                                                                           \
    to[2] = WORD(1u, bits, scale);                                                                           \
    to[4] = WORD(2u, bits, scale);                                                                           \
    to[6] = WORD(3u, bits, scale)

#define FOUR_BITS 4u, 8192
#define TWO_BITS  2u, 1024
/* 2-bit weights in the fields of 4-bit inputs. */
#define TWO_OF_FOUR 2u, 8192

#define EXPAND(...) STORE(__VA_ARGS__)

/* 2-bit weights of 4-bit inputs. */
static int32_t narrower_weights(const int8_t *const taps[DIMMER_NARROW_TAPS], uint32_t count,
                                uint32_t channels, uint32_t bits, int32_t *to) {
    const uint32_t half = 0x20202020u;
    const int8_t *a = taps[0];
    const int8_t *b = taps[1];
    const int8_t *c = taps[2];
    const int8_t *const end = a + channels;

    (void)bits;
    if (count == DIMMER_NARROW_TAPS) {
        for (; a != end; a += 4, b += 4, c += 4, to += 8) {
            const uint32_t x = dimmer_rounded_codes(four_bytes(a), half);
            const uint32_t y = dimmer_rounded_codes(four_bytes(b), half);
            const uint32_t z = dimmer_rounded_codes(four_bytes(c), half);

            EXPAND(WORD_3, TWO_OF_FOUR);
        }
    } else {
        for (; a != end; a += 4, b += 4, to += 8) {
            const uint32_t x = dimmer_rounded_codes(four_bytes(a), half);
            const uint32_t y = dimmer_rounded_codes(four_bytes(b), half);

            EXPAND(WORD_2, TWO_OF_FOUR);
        }
    }
    return 0;
}

/* Weights as narrow as inputs. */
static int32_t own_weights(const int8_t *const taps[DIMMER_NARROW_TAPS], uint32_t count, uint32_t channels,
                           uint32_t bits, int32_t *to) {
    const uint32_t half = bits == 4u ? 0x08080808u : 0x20202020u;
    const int8_t *a = taps[0];
    const int8_t *b = taps[1];
    const int8_t *c = taps[2];
    const int8_t *const end = a + channels;
    int32_t sum = 0;

    if (bits == 4u && count == DIMMER_NARROW_TAPS) {
        for (; a != end; a += 4, b += 4, c += 4, to += 8) {
            const uint32_t x = dimmer_rounded_codes(four_bytes(a), half);
            const uint32_t y = dimmer_rounded_codes(four_bytes(b), half);
            const uint32_t z = dimmer_rounded_codes(four_bytes(c), half);

            EXPAND(WORD_3, FOUR_BITS);
        }
    } else if (bits == 4u) {
        for (; a != end; a += 4, b += 4, to += 8) {
            const uint32_t x = dimmer_rounded_codes(four_bytes(a), half);
            const uint32_t y = dimmer_rounded_codes(four_bytes(b), half);

            EXPAND(WORD_2, FOUR_BITS);
        }
    } else if (count == DIMMER_NARROW_TAPS) {
        for (; a != end; a += 4, b += 4, c += 4, to += 8) {
            const uint32_t x = dimmer_rounded_codes(four_bytes(a), half);
            const uint32_t y = dimmer_rounded_codes(four_bytes(b), half);
            const uint32_t z = dimmer_rounded_codes(four_bytes(c), half);

            EXPAND(WORD_3, TWO_BITS);
            sum += to[0] + to[2] + to[4] + to[6];
        }
    } else {
        for (; a != end; a += 4, b += 4, to += 8) {
            const uint32_t x = dimmer_rounded_codes(four_bytes(a), half);
            const uint32_t y = dimmer_rounded_codes(four_bytes(b), half);

            EXPAND(WORD_2, TWO_BITS);
            sum += to[0] + to[2] + to[4] + to[6];
        }
    }
    return sum;
}

const dimmer_narrow_format_t dimmer_narrow_4 = {
    4u, 3u, 13u, dimmer_narrow_row_4, &dimmer_narrow_results_4[0][0], three_inputs, own_weights};
const dimmer_narrow_format_t dimmer_narrow_2 = {
    2u, 4u, 10u, dimmer_narrow_row_2, &dimmer_narrow_results_2[0][0], four_inputs, own_weights};
const dimmer_narrow_format_t dimmer_apart_4 = {
    4u, 3u, 13u, dimmer_narrow_row_4, &dimmer_narrow_results_4[0][0], three_inputs, narrower_weights};

#endif
