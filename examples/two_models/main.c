/* SPDX-License-Identifier: Apache-2.0 */
/* Two models in one program take turns in one arena. Every name of a model begins with its own, so each has
 * its header and its dimmer_t; dimmer_model.h, for programs of one model, is not included. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "dimmer.h"
#include "dimmer_cifar10_r14_known_answers.h"
#include "dimmer_mnist5k_r14_known_answers.h"

#define LARGER(a, b) ((a) > (b) ? (a) : (b))
#define ARENA_SIZE   LARGER(DIMMER_CIFAR10_R14_ARENA_SIZE, DIMMER_MNIST5K_R14_ARENA_SIZE)

/* One at a time: what a model left in the arena is lost when the other one runs. */
static uint8_t arena[ARENA_SIZE] __attribute__((aligned(DIMMER_ARENA_ALIGN)));
static dimmer_t objects;
static dimmer_t digits;

/* Runs a model's known input in its first mode; returns 0 where the result is the known one. */
static int run(dimmer_t *d, const int8_t *input, size_t input_size, const int8_t *known, size_t output_size) {
    memcpy(dimmer_input(d), input, input_size);
    if (dimmer_invoke(d) != DIMMER_OK) {
        return 1;
    }
    return memcmp(dimmer_output(d), known, output_size) != 0;
}

int main(void) {
    int differences = 0;
    int turn;

    if (dimmer_init(&objects, &dimmer_cifar10_r14, arena, sizeof arena) != DIMMER_OK ||
        dimmer_init(&digits, &dimmer_mnist5k_r14, arena, sizeof arena) != DIMMER_OK) {
        fprintf(stderr, "error: a model does not start\n");
        return 1;
    }
    for (turn = 0; turn < 3; ++turn) {
        differences += run(&objects, dimmer_cifar10_r14_known_input, DIMMER_CIFAR10_R14_INPUT_SIZE,
                           dimmer_cifar10_r14_known_outputs[0], DIMMER_CIFAR10_R14_OUTPUT_SIZE);
        differences += run(&digits, dimmer_mnist5k_r14_known_input, DIMMER_MNIST5K_R14_INPUT_SIZE,
                           dimmer_mnist5k_r14_known_outputs[0], DIMMER_MNIST5K_R14_OUTPUT_SIZE);
    }
    printf("%d of 6 results differ\n", differences);
    return differences;
}
