/* SPDX-License-Identifier: Apache-2.0 */
/* Runs many generated models in one program: for each model in turn it reads from stdin the number of
 * records and the records (a mode id for each position, then the input) and writes the outputs to stdout. */
#include <stdio.h>
#include <stdlib.h>

#include "dimmer.h"
#include "dimmer_tables.h"

extern const dimmer_model_t *const harness_models[];
extern const unsigned harness_model_count;

static const uint8_t *plan;

static void follow(dimmer_t *d, uint16_t position, void *user) {
    (void)user;
    (void)dimmer_set_mode(d, plan[position]);
}

static void get(void *data, size_t size) {
    if (fread(data, 1, size, stdin) != size) {
        fprintf(stderr, "input too short\n");
        exit(3);
    }
}

static void run(const dimmer_model_t *model) {
    const dimmer_dims_t *n = &model->dims;
    uint8_t *const arena =
        aligned_alloc(DIMMER_ARENA_ALIGN, n->arena_size == 0u ? DIMMER_ARENA_ALIGN : n->arena_size);
    uint8_t *const modes = malloc(n->position_count);
    dimmer_t d;
    dimmer_status_t status;
    uint32_t count;

    status = dimmer_init(&d, model, arena, n->arena_size);
    if (status != DIMMER_OK) {
        fprintf(stderr, "%s: %s\n", model->name, dimmer_status_text(status));
        exit(2);
    }
    plan = modes;
    dimmer_on_block(&d, follow, NULL);
    for (get(&count, sizeof count); count > 0u; --count) {
        get(modes, n->position_count);
        (void)dimmer_set_mode(&d, modes[0]);
        get(dimmer_input(&d), n->input.size);
        (void)dimmer_invoke(&d);
        fwrite(dimmer_output(&d), 1, n->output.size, stdout);
    }
    free(modes);
    free(arena);
}

int main(void) {
    unsigned i;

    for (i = 0; i < harness_model_count; ++i) {
        run(harness_models[i]);
    }
    return 0;
}
