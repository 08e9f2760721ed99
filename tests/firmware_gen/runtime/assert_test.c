/* SPDX-License-Identifier: Apache-2.0 */
/* Breaks one precondition, named by the only argument; 0 breaks none. */
#include <stdlib.h>
#include <string.h>

#include "dimmer_fixed_point.h"
#include "dimmer_gates.h"
#include "dimmer_governor.h"
#include "dimmer_kernels.h"

static union {
    uint8_t bytes[256];
    double alignment[4];
} memory;

static uint8_t *arena(void) {
    return memory.bytes +
           (DIMMER_ARENA_ALIGN - (uintptr_t)memory.bytes % DIMMER_ARENA_ALIGN) % DIMMER_ARENA_ALIGN;
}

static void copy(const dimmer_model_t *model, uint8_t *to, uint8_t blob) {
    const dimmer_copy_s8_t r = {0, 32, 1, 8, 8, 8, blob, {0, 0, 0}};

    dimmer_copy_s8(model, &r, to);
}

static void conv2d(const dimmer_model_t *model, uint16_t stride, uint8_t weight_bits) {
    const dimmer_conv2d_s8_t r = {.batches = 1,
                                  .input_h = 1,
                                  .input_w = 1,
                                  .input_c = 1,
                                  .output_h = 1,
                                  .output_w = 1,
                                  .output_c = 1,
                                  .kernel_h = 1,
                                  .kernel_w = 1,
                                  .stride_h = stride,
                                  .stride_w = 1,
                                  .dilation_h = 1,
                                  .dilation_w = 1,
                                  .weight_bits = weight_bits,
                                  .slice_channels = 1,
                                  .scratch = 64,
                                  .output = 32};

    dimmer_conv2d_s8(model, &r, arena());
}

int main(int argc, char **argv) {
    static const int8_t weights[8] = {1};
    static const int32_t params[2] = {0, 1 << 30};
    static const dimmer_battery_t battery = {0, 0, 0, 0, 0, 0, 0};
    static const dimmer_policy_state_t fresh = {{0, 0, 0, 0, 0, 0}, 0, 0, 0, {0, 0}};
    const int number = argc > 1 ? atoi(argv[1]) : 0;
    int8_t shift = 0;
    dimmer_policy_t policy;
    dimmer_model_t model;

    memset(&policy, 0, sizeof policy);
    memset(&model, 0, sizeof model);
    policy.tier_count = 1;
    model.weights = weights;
    model.params = params;
    model.shifts = &shift;
    switch (number) {
    case 1:
        (void)dimmer_set_mode(NULL, 0);
        break;
    case 2:
        (void)dimmer_invoke(NULL);
        break;
    case 3:
        policy.tier_count = 0;
        (void)dimmer_policy_next(&policy, fresh, &battery);
        break;
    case 4:
        copy(&model, arena() + 8, DIMMER_IN_WEIGHTS);
        break;
    case 5:
        copy(&model, arena(), 2);
        break;
    case 6:
        copy(NULL, arena(), DIMMER_IN_ARENA);
        break;
    case 7:
        conv2d(&model, 0, 8);
        break;
    case 8:
        conv2d(&model, 1, 3);
        break;
    case 9:
        shift = 31;
        conv2d(&model, 1, 8);
        break;
    case 10:
        (void)dimmer_requantize(1, 1 << 30, 31);
        break;
    case 11:
        (void)dimmer_crc32(0, NULL, 1);
        break;
    case 12:
        dimmer_on_block(NULL, NULL, NULL);
        break;
    case 13:
        (void)dimmer_set_plan(NULL, NULL);
        break;
    case 14:
        (void)dimmer_governor_report(NULL, &battery);
        break;
    case 15:
        (void)dimmer_governor_share(NULL);
        break;
    case 16:
        (void)dimmer_governor_life_s(NULL);
        break;
    case 17:
        dimmer_gates_choose(&model, 0, arena(), 0, NULL, NULL);
        break;
    default:
        (void)dimmer_policy_next(&policy, fresh, &battery);
        copy(&model, arena(), DIMMER_IN_WEIGHTS);
        conv2d(&model, 1, 8);
        conv2d(&model, 1, 2);
        (void)dimmer_requantize(1, 1 << 30, 30);
        (void)dimmer_crc32(0, NULL, 0);
        break;
    }
    return 0;
}
