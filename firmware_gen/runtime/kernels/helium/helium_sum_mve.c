/* SPDX-License-Identifier: Apache-2.0 */
#include "dimmer_fixed_point.h"
#include "helium.h"

#if defined(__ARM_FEATURE_MVE)

#include <arm_mve.h>

#define LINEAR_MULTIPLIER ((int32_t)1 << 30) /* with shift 0 and a left shift of 20: times 2^19 */
#define LINEAR_SHIFT      19

void dimmer_helium_clamp(int8_t *values, uint32_t count, int32_t low, int32_t high) {
    __asm__ volatile("vdup.8 q1, %[low]\n\t"
                     "vdup.8 q2, %[high]\n\t"
                     "wlstp.8 lr, %[count], 2f\n"
                     "1:\n\t"
                     "vldrb.8 q0, [%[values]]\n\t"
                     "vmax.s8 q0, q0, q1\n\t"
                     "vmin.s8 q0, q0, q2\n\t"
                     "vstrb.8 q0, [%[values]], #16\n\t"
                     "letp lr, 1b\n"
                     "2:"
                     : [values] "+&r"(values)
                     : [count] "r"(count), [low] "r"(low), [high] "r"(high)
                     : "q0", "q1", "q2", "lr", "cc", "memory");
}

dimmer_helium_sum_t dimmer_helium_sum_prepare(const dimmer_add_s8_t *r, int32_t *table) {
    const int first_linear = r->multiplier1 == LINEAR_MULTIPLIER && r->shift1 == 0;
    const int32_t zero = first_linear ? r->zero_point2 : r->zero_point1;
    const int32_t multiplier = first_linear ? r->multiplier2 : r->multiplier1;
    const int32_t shift = first_linear ? r->shift2 : r->shift1;
    const int32_t linear_zero =
        (int32_t)((uint32_t)(first_linear ? r->zero_point1 : r->zero_point2) << LINEAR_SHIFT);
    dimmer_helium_sum_t sum;
    int32_t code;

    for (code = -128; code < 128; code += 4) {
        const int32x4_t codes = vaddq_n_s32((int32x4_t)vidupq_n_u32(0u, 1), code - zero);
        int32x4_t x = vqrdmulhq_n_s32(vshlq_n_s32(codes, 20), multiplier);

        if (shift != 0) {
            x = vrshlq_n_s32(vaddq_s32(x, vshrq_n_s32(x, 31)), shift);
        }
        vst1q_s32(table + (uint8_t)code, vsubq_n_s32(x, linear_zero));
    }
    sum.table = table;
    sum.multiplier = r->multiplier_output;
    sum.shift = r->shift_output;
    sum.zero_point = r->output_zero_point;
    sum.low = r->activation_min;
    sum.high = r->activation_max;
    sum.looked_up = first_linear ? 2u : 1u;
    return sum;
}

/* Four elements. l: one of r0 to r7, as loads and stores of narrower elements need.
 */
#define HEAD                                                                                                 \
    "dlstp.32 lr, %[count]\n"                                                                                \
    "1:\n\t"                                                                                                 \
    "vldrb.u32 q0, [%[looked_up]], #4\n\t"                                                                   \
    "vldrw.32 q1, [%[table], q0, uxtw #2]\n\t"                                                               \
    "vldrb.s32 q2, [%[linear]], #4\n\t"                                                                      \
    "vmla.s32 q1, q2, %[factor]\n\t"                                                                         \
    "vqrdmulh.s32 q1, q1, %[multiplier]\n\t"
#define HALVES_DOWN(q, spare)                                                                                \
    "vshr.s32 " spare ", " q ", #31\n\t"                                                                     \
    "vadd.i32 " q ", " q ", " spare "\n\t"
#define HALVES_UP(q, spare)
#define TAIL                                                                                                 \
    "vrshl.s32 q1, %[shift]\n\t"                                                                             \
    "vadd.i32 q1, q1, %q[zero]\n\t"                                                                          \
    "vmax.s32 q1, q1, %q[low]\n\t"                                                                           \
    "vmin.s32 q1, q1, %q[high]\n\t"                                                                          \
    "vstrb.32 q1, [%[output]], #4\n\t"                                                                       \
    "letp lr, 1b"
#define LOOP(halves)                                                                                         \
    __asm__ volatile(HEAD halves("q1", "q2") TAIL                                                            \
                     : [looked_up] "+&l"(looked_up), [linear] "+&l"(linear), [output] "+&l"(output)          \
                     : [count] "r"(count), [table] "r"(sum->table),                                          \
                       [factor] "r"((int32_t)1 << LINEAR_SHIFT), [multiplier] "r"(sum->multiplier),          \
                       [shift] "r"(sum->shift), [zero] "w"(zero), [low] "w"(low), [high] "w"(high)           \
                     : "q0", "q1", "q2", "lr", "cc", "memory")

/* Eight elements: those with even numbers, then those with odd ones, whose sums narrowing puts back in order.
 * Saturation to 16 bits on the way changes nothing: the zero point has 8. */
#define EIGHTS(halves)                                                                                       \
    __asm__ volatile(                                                                                        \
        "wls lr, %[count], 2f\n"                                                                             \
        "1:\n\t"                                                                                             \
        "vldrb.u16 q0, [%[looked_up]], #8\n\t"                                                               \
        "vmovlb.u16 q1, q0\n\t"                                                                              \
        "vmovlt.u16 q2, q0\n\t"                                                                              \
        "vldrw.32 q3, [%[table], q1, uxtw #2]\n\t"                                                           \
        "vldrb.s16 q0, [%[linear]], #8\n\t"                                                                  \
        "vldrw.32 q4, [%[table], q2, uxtw #2]\n\t"                                                           \
        "vmovlb.s16 q1, q0\n\t"                                                                              \
        "vmovlt.s16 q2, q0\n\t"                                                                              \
        "vmla.s32 q3, q1, %[factor]\n\t"                                                                     \
        "vmla.s32 q4, q2, %[factor]\n\t"                                                                     \
        "vqrdmulh.s32 q3, q3, %[multiplier]\n\t"                                                             \
        "vqrdmulh.s32 q4, q4, %[multiplier]\n\t" halves("q3", "q1")                                          \
            halves("q4", "q2") "vrshl.s32 q3, %[shift]\n\t"                                                  \
                               "vrshl.s32 q4, %[shift]\n\t"                                                  \
                               "vqmovnb.s32 q3, q3\n\t"                                                      \
                               "vqmovnt.s32 q3, q4\n\t"                                                      \
                               "vqadd.s16 q3, q3, %[zero]\n\t"                                               \
                               "vqmovnb.s16 q3, q3\n\t"                                                      \
                               "vstrb.16 q3, [%[output]], #8\n\t"                                            \
                               "le lr, 1b\n"                                                                 \
                               "2:"                                                                          \
        : [looked_up] "+&l"(looked_up), [linear] "+&l"(linear), [output] "+&l"(output)                       \
        : [count] "r"(count / 8u), [table] "r"(sum->table), [factor] "r"((int32_t)1 << LINEAR_SHIFT),        \
          [multiplier] "r"(sum->multiplier), [shift] "r"(sum->shift), [zero] "r"(sum->zero_point)            \
        : "q0", "q1", "q2", "q3", "q4", "lr", "cc", "memory")

void dimmer_helium_sum_run(const dimmer_helium_sum_t *sum, const int8_t *first, const int8_t *second,
                           int8_t *output, uint32_t count) {
    const int8_t *looked_up = sum->looked_up == 1u ? first : second;
    const int8_t *linear = sum->looked_up == 1u ? second : first;
    const int32x4_t zero = vdupq_n_s32(sum->zero_point);
    const int32x4_t low = vdupq_n_s32(sum->low);
    const int32x4_t high = vdupq_n_s32(sum->high);
    /* Nothing below the zero point is kept: halves of negative numbers need no care. */
    const int relu = sum->low >= sum->zero_point;

    if (sum->low == -128 && sum->high == 127) {
        if (relu) {
            EIGHTS(HALVES_UP);
        } else {
            EIGHTS(HALVES_DOWN);
        }
        count %= 8u;
    }
    if (count == 0u) {
        return;
    }
    if (relu) {
        LOOP(HALVES_UP);
    } else {
        LOOP(HALVES_DOWN);
    }
}

#endif
