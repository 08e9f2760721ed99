#include "narrow.h"

#include "direct.h"

#if defined(__ARM_FEATURE_DSP)

#include <string.h>

dimmer_narrow_format_t dimmer_narrow_format(uint32_t bits) {
    dimmer_narrow_format_t format = {4u, 3u, 13u, 0};
    uint32_t i;

    if (bits == 2u) {
        format.bits = 2u;
        format.pixels = 4u;
        format.spacing = 10u;
    }
    for (i = 0; i < format.pixels; ++i) {
        format.halves |= (int64_t)1 << (i * format.spacing + format.spacing - 1u);
    }
    return format;
}

/* 24 bytes of code: the sum may be entered between two terms. */
#define TERM                                                                                                 \
    "ldmia.w r2!, {r0, r3}\n\t"                                                                              \
    "ldmia.w r1!, {r12, lr}\n\t"                                                                             \
    "smlal r4, r5, r0, r12\n\t"                                                                              \
    "smlal r6, r7, r3, r12\n\t"                                                                              \
    "smlal r8, r9, r0, lr\n\t"                                                                               \
    "smlal r10, r11, r3, lr\n\t"

#define FOUR_TERMS TERM TERM TERM TERM

/* Carries the upper fields of a sum, whose lower word they leave, into the lower ones, and begins anew. */
#define CARRY(low, high, from_low, from_high, shift)                                                         \
    "adds.w " low ", " from_low ", " high ", asr #" shift "\n\t"                                             \
    "adc.w " high ", " from_high ", " high ", asr #31\n\t"

/* clang-format off */
/* On the stack: 0 the end of the chunk's pixels, 4 the chunks that are left, 8 the sums of this one, 12 where its
 * terms are entered, 16 *row. Sixteen terms make a turn; the first one begins where as many are left as there are
 * more than a multiple of 16. */
#define ROW(shift)                               \
    __asm__ volatile(                            \
        "push {r0, r4-r11, lr}\n\t"              \
        "sub sp, sp, #16\n\t"                    \
        "ldr r1, [r0, #8]\n\t"                   \
        "rsb r1, r1, #0\n\t"                     \
        "asrs r1, r1, #3\n\t"                    \
        "and r1, r1, #15\n\t"                    \
        "add.w r1, r1, r1, lsl #1\n\t"           \
        "adr.w r2, 3f\n\t"                       \
        "add.w r1, r2, r1, lsl #3\n\t"           \
        "orr r1, r1, #1\n\t"                     \
        "str r1, [sp, #12]\n"                    \
        "1:\n\t"                                 \
        "ldrd r1, r2, [r0]\n\t"                  \
        "ldrd r3, r4, [r0, #32]\n\t"             \
        "strd r3, r4, [sp, #4]\n"                \
        "2:\n\t"                                 \
        "ldr r3, [sp, #16]\n\t"                  \
        "ldr r0, [sp, #8]\n\t"                   \
        "ldr r3, [r3, #8]\n\t"                   \
        "ldmia.w r0, {r4-r11}\n\t"               \
        "add r3, r3, r2\n\t"                     \
        "str r3, [sp]\n\t"                       \
        "ldmia.w r1!, {r0, r3, r12, lr}\n\t"     \
        CARRY("r4", "r5", "r0", "r3", shift)     \
        CARRY("r6", "r7", "r0", "r3", shift)     \
        CARRY("r8", "r9", "r12", "lr", shift)    \
        CARRY("r10", "r11", "r12", "lr", shift)  \
        "ldr r0, [sp, #12]\n\t"                  \
        "bx r0\n\t"                              \
        ".balign 4\n"                            \
        "3:\n\t"                                 \
        FOUR_TERMS FOUR_TERMS                    \
        FOUR_TERMS FOUR_TERMS                    \
        "ldr r0, [sp]\n\t"                       \
        "cmp r2, r0\n\t"                         \
        "bne.w 3b\n\t"                           \
        "ldrd r3, r0, [sp, #4]\n\t"              \
        "stmia.w r0!, {r4-r11}\n\t"              \
        "subs r3, r3, #1\n\t"                    \
        "strd r3, r0, [sp, #4]\n\t"              \
        "bne.w 2b\n\t"                           \
        "ldr r0, [sp, #16]\n\t"                  \
        "ldr r3, [r0, #12]\n\t"                  \
        "ldr r12, [r0, #40]\n\t"                 \
        "add r2, r2, r3\n\t"                     \
        "str r2, [r0, #4]\n\t"                   \
        "blx r12\n\t"                            \
        "ldr r0, [sp, #16]\n\t"                  \
        "ldr r3, [r0, #28]\n\t"                  \
        "subs r3, r3, #1\n\t"                    \
        "str r3, [r0, #28]\n\t"                  \
        "bne.w 1b\n\t"                           \
        "add sp, sp, #20\n\t"                    \
        "pop {r4-r11, pc}")
/* clang-format on */

DIMMER_ASSEMBLY void dimmer_narrow_row_4(dimmer_narrow_row_t *row DIMMER_REGISTER) {
    ROW("7");
}

DIMMER_ASSEMBLY void dimmer_narrow_row_2(dimmer_narrow_row_t *row DIMMER_REGISTER) {
    ROW("8");
}

static inline uint32_t four_bytes(const int8_t *at) {
    uint32_t word;

    memcpy(&word, at, sizeof word);
    return word;
}

/* Input `i` of four: codes begin at -128, whose lower bits are 0. */
#define INPUT(word, i, bits) (((word) >> (8u * (i))) & ((1u << (bits)) - 1u))

void dimmer_narrow_pixels(const int8_t *const columns[DIMMER_NARROW_MAX_PIXELS], uint32_t channels,
                          uint32_t bits, int32_t *to) {
    const int8_t *a = columns[0];
    const int8_t *b = columns[1];
    const int8_t *c = columns[2];
    const int8_t *const end = a + channels;

    if (bits == 4u) {
        for (; a != end; a += 4, b += 4, c += 4, to += 8) {
            const uint32_t x = four_bytes(a);
            const uint32_t y = four_bytes(b);
            const uint32_t z = four_bytes(c);

#define WORD(i) (int32_t)(INPUT(x, i, 4u) | INPUT(y, i, 4u) << 13 | INPUT(z, i, 4u) << 26)
            to[0] = WORD(0);
            to[2] = WORD(1);
            to[4] = WORD(2);
            to[6] = WORD(3);
#undef WORD
        }
    } else {
        const int8_t *d = columns[3];

        for (; a != end; a += 4, b += 4, c += 4, d += 4, to += 8) {
            const uint32_t x = four_bytes(a);
            const uint32_t y = four_bytes(b);
            const uint32_t z = four_bytes(c);
            const uint32_t top = four_bytes(d) ^ 0x02020202u; /* less 2, in two bits */

#define WORD(i)                                                                                              \
    (int32_t)(INPUT(x, i, 2u) | INPUT(y, i, 2u) << 10 | INPUT(z, i, 2u) << 20 | top >> (8u * (i)) << 30)
            to[0] = WORD(0);
            to[2] = WORD(1);
            to[4] = WORD(2);
            to[6] = WORD(3);
#undef WORD
        }
    }
}

void dimmer_narrow_blank(uint32_t channels, uint32_t bits, int32_t *to) {
    const int32_t word = bits == 4u ? 0 : INT32_MIN;
    int32_t *const end = to + 2u * channels;

    for (; to != end; to += 8) {
        to[0] = word;
        to[2] = word;
        to[4] = word;
        to[6] = word;
    }
}

/* Four codes, each plus half of a slice's step, at least what -7 or -1 needs; saturating above does the same
 * for 7 and 1. The slice is what is left in the upper bits. */
static inline uint32_t rounded(uint32_t codes, uint32_t half) {
    uint32_t low;
    uint32_t high;

    __asm__("qsub8 %0, %1, %2" : "=r"(low) : "r"(codes), "r"(half));
    __asm__("qadd8 %0, %1, %2" : "=r"(high) : "r"(low), "r"(half + half));
    return high;
}

/* The upper bits of byte i, with their sign. */
#define SLICE(word, i, bits) ((int32_t)((word) << (24u - 8u * (i))) >> (32u - (bits)))

int32_t dimmer_narrow_weights(const int8_t *const taps[DIMMER_NARROW_TAPS], uint32_t channels, uint32_t bits,
                              int32_t *to) {
    const int8_t *a = taps[0];
    const int8_t *b = taps[1];
    const int8_t *c = taps[2];
    const int8_t *const end = a + channels;
    int32_t sum = 0;

#define WORD(i, bits, scale)                                                                                 \
    (SLICE(x, i, bits) + SLICE(y, i, bits) * (scale) + SLICE(z, i, bits) * (scale) * (scale))
    if (bits == 4u) {
        for (; a != end; a += 4, b += 4, c += 4, to += 8) {
            const uint32_t x = rounded(four_bytes(a), 0x08080808u);
            const uint32_t y = rounded(four_bytes(b), 0x08080808u);
            const uint32_t z = rounded(four_bytes(c), 0x08080808u);

            to[0] = WORD(0u, 4u, 8192);
            to[2] = WORD(1u, 4u, 8192);
            to[4] = WORD(2u, 4u, 8192);
            to[6] = WORD(3u, 4u, 8192);
        }
    } else {
        for (; a != end; a += 4, b += 4, c += 4, to += 8) {
            const uint32_t x = rounded(four_bytes(a), 0x20202020u);
            const uint32_t y = rounded(four_bytes(b), 0x20202020u);
            const uint32_t z = rounded(four_bytes(c), 0x20202020u);

            to[0] = WORD(0u, 2u, 1024);
            to[2] = WORD(1u, 2u, 1024);
            to[4] = WORD(2u, 2u, 1024);
            to[6] = WORD(3u, 2u, 1024);
            sum += to[0] + to[2] + to[4] + to[6];
        }
    }
#undef WORD
    return sum;
}

/* `sum` times its factor, bias included, to an output: as RESCALE of direct_dsp.c, but for sums that are
 * shifted to the left. r1 is whether there is a right shift, r6 the multiplier, r7 the rounding, r8 the right
 * shift. */
#define WIDE(sum)                                                                                            \
    "and.w r10, r1, " sum ", asr #31\n\t"                                                                    \
    "add.w r10, r10, r7\n\t"                                                                                 \
    "smmlar " sum ", " sum ", r6, r10\n\t"                                                                   \
    "asr.w " sum ", " sum ", r8\n\t"                                                                         \
    "ssat " sum ", #8, " sum "\n\t"

/* Outputs from -128 on: a negative sum gives 0 however it is rounded. */
#define CLAMPED(sum, bits)                                                                                   \
    "smmlar " sum ", " sum ", r6, r7\n\t"                                                                    \
    "asr.w " sum ", " sum ", r8\n\t"                                                                         \
    "usat " sum ", #" bits ", " sum "\n\t"                                                                   \
    "orr " sum ", " sum ", #128\n\t"

#define CLAMPED_4(sum) CLAMPED(sum, "4")
#define CLAMPED_2(sum) CLAMPED(sum, "2")

/* One sum: three or four outputs from r2 on, r4 bytes apart; r3 is the factor, r5 the bias. */
#define SUM_4(RESCALE)                                                                                       \
    "ldrd r9, r10, [r0], #8\n\t"                                                                             \
    "ubfx r11, r9, #0, #13\n\t"                                                                              \
    "ubfx r12, r9, #13, #13\n\t"                                                                             \
    "lsr r9, r9, #26\n\t"                                                                                    \
    "bfi r9, r10, #6, #7\n\t"                                                                                \
    "mla r11, r11, r3, r5\n\t"                                                                               \
    "mla r12, r12, r3, r5\n\t"                                                                               \
    "mla r9, r9, r3, r5\n\t" RESCALE("r11") RESCALE("r12") RESCALE("r9") "strb r11, [r2]\n\t"                \
                                                                         "strb r12, [r2, r4]\n\t"            \
                                                                         "strb r9, [r2, r4, lsl #1]\n\t"

#define SUM_2(RESCALE)                                                                                       \
    "ldrd r9, r10, [r0], #8\n\t"                                                                             \
    "ubfx r11, r9, #0, #10\n\t"                                                                              \
    "ubfx r12, r9, #10, #10\n\t"                                                                             \
    "ubfx lr, r9, #20, #10\n\t"                                                                              \
    "lsr r9, r9, #30\n\t"                                                                                    \
    "bfi r9, r10, #2, #8\n\t"                                                                                \
    "mla r11, r11, r3, r5\n\t"                                                                               \
    "mla r12, r12, r3, r5\n\t"                                                                               \
    "mla lr, lr, r3, r5\n\t"                                                                                 \
    "mla r9, r9, r3, r5\n\t" RESCALE("r11") RESCALE("r12") RESCALE("lr")                                     \
        RESCALE("r9") "add r10, r2, r4\n\t"                                                                  \
                      "strb r11, [r2]\n\t"                                                                   \
                      "strb r12, [r2, r4]\n\t"                                                               \
                      "strb lr, [r2, r4, lsl #1]\n\t"                                                        \
                      "strb r9, [r10, r4, lsl #1]\n\t"

/* clang-format off */
#define NEXT_4(output)                              \
    "add.w " output ", " output ", r4, lsl #1\n\t"  \
    "add.w " output ", " output ", r4\n\t"
#define NEXT_2(output) "add.w " output ", " output ", r4, lsl #2\n\t"

/* Both lanes of the next channel. On the stack: 0 *row, 4 the channel's tail. */
#define CHANNEL(SUM, RESCALE)             \
    "ldrd r9, r10, [sp]\n\t"              \
    "ldmia.w r10!, {r1, r3, r5-r8}\n\t"   \
    "str r10, [sp, #4]\n\t"               \
    "ldr r2, [r9, #16]\n\t"               \
    SUM(RESCALE)                          \
    "ldr r9, [sp]\n\t"                    \
    "ldr r2, [r9, #20]\n\t"               \
    SUM(RESCALE)

#define RESULTS(SUM, RESCALE, NEXT)       \
    __asm__ volatile(                     \
        "push {r0, r1, r4-r11, lr}\n\t"   \
        "ldr r4, [r0, #24]\n\t"           \
        "ldr r0, [r0, #36]\n\t"           \
        CHANNEL(SUM, RESCALE)             \
        "ldr r9, [sp]\n\t"                \
        "ldrd r2, r3, [r9, #16]\n\t"      \
        "add r2, r2, #1\n\t"              \
        "add r3, r3, #1\n\t"              \
        "strd r2, r3, [r9, #16]\n\t"      \
        CHANNEL(SUM, RESCALE)             \
        "ldr r9, [sp]\n\t"                \
        "ldrd r2, r3, [r9, #16]\n\t"      \
        "sub r2, r2, #1\n\t"              \
        "sub r3, r3, #1\n\t"              \
        NEXT("r2")                        \
        NEXT("r3")                        \
        "strd r2, r3, [r9, #16]\n\t"      \
        "add sp, sp, #8\n\t"              \
        "pop {r4-r11, pc}")
/* clang-format on */

DIMMER_ASSEMBLY static void wide_4(dimmer_narrow_row_t *row DIMMER_REGISTER,
                                   const dimmer_narrow_tail_t *tail DIMMER_REGISTER) {
    RESULTS(SUM_4, WIDE, NEXT_4);
}

DIMMER_ASSEMBLY static void clamped_4(dimmer_narrow_row_t *row DIMMER_REGISTER,
                                      const dimmer_narrow_tail_t *tail DIMMER_REGISTER) {
    RESULTS(SUM_4, CLAMPED_4, NEXT_4);
}

DIMMER_ASSEMBLY static void wide_2(dimmer_narrow_row_t *row DIMMER_REGISTER,
                                   const dimmer_narrow_tail_t *tail DIMMER_REGISTER) {
    RESULTS(SUM_2, WIDE, NEXT_2);
}

DIMMER_ASSEMBLY static void clamped_2(dimmer_narrow_row_t *row DIMMER_REGISTER,
                                      const dimmer_narrow_tail_t *tail DIMMER_REGISTER) {
    RESULTS(SUM_2, CLAMPED_2, NEXT_2);
}

/* With `limit`, the largest output from -128 on, or for all of int8 where it is 0. */
static inline void store(int8_t *to, int32_t sum, const dimmer_narrow_tail_t *tail, int32_t limit) {
    const int32_t scaled = sum * tail->factor + tail->bias;
    const int32_t rounding = tail->rounding + (limit == 0 && scaled < 0 ? tail->negative : 0);
    int32_t high;

    __asm__("smmlar %0, %1, %2, %3" : "=r"(high) : "r"(scaled), "r"(tail->multiplier), "r"(rounding));
    high >>= tail->shift;
    if (limit == 0) {
        __asm__("ssat %0, #8, %1" : "=r"(high) : "r"(high));
    } else {
        high = high < 0 ? -128 : high > limit ? limit - 128 : high - 128;
    }
    *to = (int8_t)high;
}

/* One channel and lane: adds up its chunks. */
static inline void add_up(const int64_t *chunk, uint32_t chunks, uint32_t bits,
                          const dimmer_narrow_tail_t *tail, int32_t limit, int8_t *to, uint32_t stride) {
    const dimmer_narrow_tail_t constants = *tail;
    int32_t s0 = 0;
    int32_t s1 = 0;
    int32_t s2 = 0;
    int32_t s3 = 0;

    for (; chunks != 0u; --chunks, chunk += DIMMER_NARROW_SUMS) {
        const uint32_t low = (uint32_t)*chunk;
        const uint32_t high = (uint32_t)(*chunk >> 32);

        if (bits == 4u) {
            s0 += (int32_t)(low & 0x1FFFu);
            s1 += (int32_t)((low >> 13) & 0x1FFFu);
            s2 += (int32_t)(low >> 26 | (high & 0x7Fu) << 6);
        } else {
            s0 += (int32_t)(low & 0x3FFu);
            s1 += (int32_t)((low >> 10) & 0x3FFu);
            s2 += (int32_t)((low >> 20) & 0x3FFu);
            s3 += (int32_t)(low >> 30 | (high & 0xFFu) << 2);
        }
    }
    store(to, s0, &constants, limit);
    store(to + stride, s1, &constants, limit);
    to += 2u * stride;
    store(to, s2, &constants, limit);
    if (bits == 2u) {
        store(to + stride, s3, &constants, limit);
    }
}

static inline void of_chunks(dimmer_narrow_row_t *row, const dimmer_narrow_tail_t *tail, uint32_t bits,
                             int32_t limit) {
    const uint32_t step = row->stride * (bits == 4u ? 3u : 4u);
    uint32_t i;

    for (i = 0; i < DIMMER_NARROW_SUMS; ++i) {
        add_up(row->sums + i, row->chunks, bits, tail + i / 2u, limit,
               ((i & 1u) != 0u ? row->output1 : row->output0) + i / 2u, row->stride);
    }
    row->output0 += step;
    row->output1 += step;
}

static void wide_4_of_chunks(dimmer_narrow_row_t *row, const dimmer_narrow_tail_t *tail) {
    of_chunks(row, tail, 4u, 0);
}

static void clamped_4_of_chunks(dimmer_narrow_row_t *row, const dimmer_narrow_tail_t *tail) {
    of_chunks(row, tail, 4u, 15);
}

static void wide_2_of_chunks(dimmer_narrow_row_t *row, const dimmer_narrow_tail_t *tail) {
    of_chunks(row, tail, 2u, 0);
}

static void clamped_2_of_chunks(dimmer_narrow_row_t *row, const dimmer_narrow_tail_t *tail) {
    of_chunks(row, tail, 2u, 3);
}

void (*dimmer_narrow_results(uint32_t bits, uint32_t chunks, int clamped))(dimmer_narrow_row_t *row,
                                                                           const dimmer_narrow_tail_t *tail) {
    if (chunks == 1u) {
        return bits == 4u ? (clamped ? clamped_4 : wide_4) : clamped ? clamped_2 : wide_2;
    }
    return bits == 4u ? (clamped ? clamped_4_of_chunks : wide_4_of_chunks)
           : clamped  ? clamped_2_of_chunks
                      : wide_2_of_chunks;
}

#endif
