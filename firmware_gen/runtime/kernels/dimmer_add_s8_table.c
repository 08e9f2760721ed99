#include "dimmer_kernels.h"
#include "rescale.h"

#define VALUES 256

/* Twice what each value of an input adds. */
static void tabulate(int32_t multiplier, int shift, int32_t left_shift, int32_t zero_point, int32_t *to) {
    int32_t value;

    for (value = -VALUES / 2; value < VALUES / 2; ++value) {
        const int32_t wide = (int32_t)((uint32_t)(value - zero_point) << left_shift);

        *to++ = 2 * dimmer_requantize(wide, multiplier, shift);
    }
}

void dimmer_add_s8_table(const dimmer_model_t *model, const void *record, uint8_t *arena) {
    const dimmer_add_s8_table_t *t = (const dimmer_add_s8_table_t *)record;
    const dimmer_add_s8_t *r = &t->add;
    const dimmer_rescale_t rescale =
        dimmer_rescale_of(0, r->multiplier_output, r->shift_output, r->output_zero_point);
    /* Copies: a store through int8_t may change them for all that the compiler knows. */
    const int32_t multiplier = rescale.multiplier;
    const int32_t start = rescale.start;
    const int32_t shift = rescale.shift;
    const int32_t low = r->activation_min;
    const int32_t high = r->activation_max;
    int32_t *const table1 = (int32_t *)(void *)(arena + t->scratch);
    int32_t *const table2 = table1 + VALUES;
    const int32_t *const middle1 = table1 + VALUES / 2;
    const int32_t *const middle2 = table2 + VALUES / 2;
    const int8_t *input1 = (const int8_t *)(arena + r->input1);
    const int8_t *input2 = (const int8_t *)(arena + r->input2);
    int8_t *output = (int8_t *)(arena + r->output);
    const int8_t *const end = output + (size_t)r->dims[0] * r->dims[1] * r->dims[2] * r->dims[3];

    (void)model;
    tabulate(r->multiplier1, r->shift1, r->left_shift, r->zero_point1, table1);
    tabulate(r->multiplier2, r->shift2, r->left_shift, r->zero_point2, table2);
    while (output != end) {
        const int32_t doubled = middle1[*input1++] + middle2[*input2++];

        *output++ = dimmer_clamp_s8(dimmer_rescale(doubled, multiplier, start, shift), low, high);
    }
}
