/* SPDX-License-Identifier: Apache-2.0 */
#include "direct.h"

#if defined(__ARM_FEATURE_DSP)

#include <string.h>

/* The word that begins at `at`, which may be anywhere: LDR needs no alignment on these cores. */
static uint32_t four_bytes(const int8_t *at) {
    uint32_t word;

    memcpy(&word, at, sizeof word);
    return word;
}

/* The first `count` bytes of four, 1 to 3, the others 0; reads nothing behind them. */
static uint32_t fewer_bytes(const int8_t *at, uint32_t count) {
    uint32_t word = 0;
    uint32_t i;

    for (i = 0; i < count; ++i) {
        word |= (uint32_t)(uint8_t)at[i] << (8u * i);
    }
    return word;
}

static int32_t *store_pair(uint32_t a, uint32_t b, int32_t *to) {
    __asm__ volatile("sxtb16 r8, %[a]\n\t"
                     "sxtb16 r10, %[a], ror #8\n\t"
                     "sxtb16 r11, %[b]\n\t"
                     "sxtb16 lr, %[b], ror #8\n\t"
                     "stmia %[to]!, {r8, r10, r11, lr}"
                     : [to] "+r"(to)
                     : [a] "r"(a), [b] "r"(b)
                     : "r8", "r10", "r11", "lr", "memory");
    return to;
}

int32_t *dimmer_widen_pair(const int8_t *a, const int8_t *b, uint32_t count, int32_t *to) {
    const uint32_t all = count;
    const uint32_t rest = count & 3u;

    if ((count & 4u) != 0u) {
        to = store_pair(four_bytes(a), four_bytes(b), to);
        a += 4;
        b += 4;
    }
    count &= ~(uint32_t)7;
    if (count != 0u) {
        const int8_t *const end = a + count;
        uint32_t x;
        uint32_t y;

        __asm__ volatile("1:\n\t"
                         "ldr %[x], [%[a]], #4\n\t"
                         "ldr %[y], [%[b]], #4\n\t"
                         "sxtb16 r8, %[x]\n\t"
                         "sxtb16 r10, %[x], ror #8\n\t"
                         "sxtb16 r11, %[y]\n\t"
                         "sxtb16 lr, %[y], ror #8\n\t"
                         "stmia %[to]!, {r8, r10, r11, lr}\n\t"
                         "ldr %[x], [%[a]], #4\n\t"
                         "ldr %[y], [%[b]], #4\n\t"
                         "sxtb16 r8, %[x]\n\t"
                         "sxtb16 r10, %[x], ror #8\n\t"
                         "sxtb16 r11, %[y]\n\t"
                         "sxtb16 lr, %[y], ror #8\n\t"
                         "cmp %[a], %[end]\n\t"
                         "stmia %[to]!, {r8, r10, r11, lr}\n\t"
                         "bne 1b"
                         : [a] "+&r"(a), [b] "+&r"(b), [to] "+&r"(to), [x] "=&r"(x), [y] "=&r"(y)
                         : [end] "r"(end)
                         : "r8", "r10", "r11", "lr", "cc", "memory");
    }
    if (rest != 0u && all >= 4u) {
        /* The word that ends where the bytes end: nothing behind them is read. */
        const uint32_t gone = 32u - 8u * rest;

        to = store_pair(four_bytes(a + rest - 4) >> gone, four_bytes(b + rest - 4) >> gone, to);
    } else if (rest != 0u) {
        to = store_pair(fewer_bytes(a, rest), fewer_bytes(b, rest), to);
    }
    return to;
}

int32_t *dimmer_direct_head(const dimmer_model_t *model, const dimmer_conv2d_s8_t *r, uint32_t c, uint32_t d,
                            int32_t *to) {
    *to++ = model->params[r->bias + c];
    *to++ = model->params[r->bias + d];
    return to;
}

/* high = round(x * multiplier / 2^31) is what SMMLAR gives of 2x; the rounding shift that follows adds half,
 * less 1 where x is negative, and the zero point may be added before the shift as well as after it. */
int32_t *dimmer_direct_tail(const dimmer_model_t *model, const dimmer_conv2d_s8_t *r, uint32_t c, uint32_t d,
                            int32_t *to) {
    const uint32_t channels[2] = {c, d};
    uint32_t i;

    for (i = 0; i < 2u; ++i) {
        const int32_t shift = -model->shifts[r->shifts + channels[i]];

        *to++ = model->params[r->multipliers + channels[i]];
        *to++ = (int32_t)((uint32_t)r->output_zero_point << shift) + ((int32_t)1 << (shift - 1));
        *to++ = shift;
    }
    return to;
}

/* Four products each of two channels and two pixels, 40 bytes of code: dimmer_direct_2x2 enters in between.
 */
#define FOUR_PRODUCTS                                                                                        \
    "ldmia.w r0!, {r2-r5}\n\t"                                                                               \
    "ldmia.w r1!, {r6-r9}\n\t"                                                                               \
    "smlad r10, r2, r6, r10\n\t"                                                                             \
    "smlad r11, r2, r8, r11\n\t"                                                                             \
    "smlad r12, r4, r6, r12\n\t"                                                                             \
    "smlad lr, r4, r8, lr\n\t"                                                                               \
    "smlad r10, r3, r7, r10\n\t"                                                                             \
    "smlad r11, r3, r9, r11\n\t"                                                                             \
    "smlad r12, r5, r7, r12\n\t"                                                                             \
    "smlad lr, r5, r9, lr\n\t"

#define RESCALE(sum, multiplier, rounding, shift)                                                            \
    "add.w r8, " rounding ", " sum ", asr #31\n\t"                                                           \
    "add.w " sum ", " sum ", " sum "\n\t"                                                                    \
    "smmlar " sum ", " sum ", " multiplier ", r8\n\t"                                                        \
    "asr.w " sum ", " sum ", " shift "\n\t"                                                                  \
    "ssat " sum ", #8, " sum "\n\t"

/* Assembly, because the inner loop takes all 14 registers. On the stack: 0 the end of the panel, 4 the
 * pixels, 8 their end, 12 where the inner loop is entered, 56 and 60 the outputs. Eight times four products
 * make a turn; the first one begins where as many are left as there are more than a multiple of 32 products.
 */
DIMMER_ASSEMBLY void dimmer_direct_2x2(const int32_t *panel DIMMER_REGISTER,
                                       const int32_t *panel_end DIMMER_REGISTER,
                                       const int32_t *pixels DIMMER_REGISTER,
                                       const int32_t *pixels_end DIMMER_REGISTER,
                                       int8_t *output0 DIMMER_REGISTER, int8_t *output1 DIMMER_REGISTER) {
    __asm__ volatile("push {r4-r11, lr}\n\t"
                     "sub sp, sp, #20\n\t"
                     "strd r1, r2, [sp]\n\t"
                     "str r3, [sp, #8]\n\t"
                     "subs r4, r2, r3\n\t"
                     "asrs r4, r4, #4\n\t"
                     "and r4, r4, #7\n\t"
                     "add.w r4, r4, r4, lsl #2\n\t"
                     "adr.w r5, 2f\n\t"
                     "add.w r4, r5, r4, lsl #3\n\t"
                     "orr r4, r4, #1\n\t"
                     "str r4, [sp, #12]\n"
                     "1:\n\t"
                     "ldrd r10, r12, [r0], #8\n\t"
                     "ldr r1, [sp, #4]\n\t"
                     "ldr r2, [sp, #12]\n\t"
                     "mov r11, r10\n\t"
                     "mov lr, r12\n\t"
                     "bx r2\n\t"
                     ".balign 4\n"
                     "2:\n\t" FOUR_PRODUCTS FOUR_PRODUCTS FOUR_PRODUCTS FOUR_PRODUCTS FOUR_PRODUCTS
                         FOUR_PRODUCTS FOUR_PRODUCTS FOUR_PRODUCTS "ldr r2, [sp, #8]\n\t"
                     "cmp r1, r2\n\t"
                     "bne.w 2b\n\t"
                     "ldmia.w r0!, {r2-r7}\n\t" RESCALE("r10", "r2", "r3", "r4")
                         RESCALE("r11", "r2", "r3", "r4") RESCALE("r12", "r5", "r6", "r7")
                             RESCALE("lr", "r5", "r6", "r7") "ldrd r8, r9, [sp, #56]\n\t"
                                                             "strb r10, [r8], #1\n\t"
                                                             "strb r12, [r8], #1\n\t"
                                                             "strb r11, [r9], #1\n\t"
                                                             "strb lr, [r9], #1\n\t"
                                                             "strd r8, r9, [sp, #56]\n\t"
                                                             "ldr r2, [sp]\n\t"
                                                             "cmp r0, r2\n\t"
                                                             "bne.w 1b\n\t"
                                                             "add sp, sp, #20\n\t"
                                                             "pop {r4-r11, pc}");
}

void dimmer_clamp_run(const dimmer_conv2d_s8_t *r, int8_t *values, uint32_t count) {
    const int32_t low = r->activation_min;
    const int32_t high = r->activation_max;
    int8_t *const end = values + count;

    if (low <= -128 && high >= 127) {
        return;
    }
    for (; values != end; ++values) {
        *values = (int8_t)(*values < low ? low : *values > high ? high : *values);
    }
}

void dimmer_copy_columns(const dimmer_conv2d_s8_t *r, const int8_t *row, int32_t x, int32_t count,
                         int8_t *to) {
    const int32_t channels = r->input_c;
    const int32_t left = (int32_t)r->input_w - x;
    const int32_t end = left < 0 ? 0 : left < count ? left : count;
    const int32_t begin = x >= 0 ? 0 : -x < end ? -x : end;

    if (begin != 0) {
        memset(to, r->input_zero_point, (size_t)(begin * channels));
    }
    if (end > begin) {
        memcpy(to + begin * channels, row + (x + begin) * channels, (size_t)((end - begin) * channels));
    }
    if (end != count) {
        memset(to + end * channels, r->input_zero_point, (size_t)((count - end) * channels));
    }
}

const int8_t *dimmer_kernel_row(const dimmer_conv2d_s8_t *r, const int8_t *input, int32_t y, int32_t x,
                                int8_t *staging) {
    const uint32_t channels = r->input_c;
    const int8_t *row;
    int8_t *to = staging;
    uint32_t kx;

    if ((uint32_t)y >= r->input_h) {
        memset(staging, r->input_zero_point, r->kernel_w * channels);
        return staging;
    }
    row = input + (size_t)y * r->input_w * channels;
    if (r->dilation_w == 1u) {
        if (x >= 0 && x + r->kernel_w <= r->input_w) {
            return row + (size_t)x * channels;
        }
        dimmer_copy_columns(r, row, x, r->kernel_w, staging);
        return staging;
    }
    for (kx = 0; kx < r->kernel_w; ++kx, x += r->dilation_w, to += channels) {
        if ((uint32_t)x >= r->input_w) {
            memset(to, r->input_zero_point, channels);
        } else {
            memcpy(to, row + (size_t)x * channels, channels);
        }
    }
    return staging;
}

#endif
