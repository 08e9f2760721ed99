/* SPDX-License-Identifier: Apache-2.0 */
/* Two generated models in one program and one arena: two IN OUT. IN has records of a model's number, a mode and an
 * input; OUT gets the results. two_models.h, which the test writes, names the models. */
#include "dimmer.h"
#include "platform.h"
#include "text.h"
#include "two_models.h"

#define LARGER(a, b) ((a) > (b) ? (a) : (b))

static uint8_t arena[LARGER(FIRST_ARENA_SIZE, SECOND_ARENA_SIZE)] __attribute__((aligned(DIMMER_ARENA_ALIGN)));
static dimmer_t networks[2];
static text_t text;

static int fail(const char *message) {
    text_begin(&text, "error");
    text_string(&text, "message", message);
    text_end(&text);
    return 1;
}

static const char *run(int in, int out) {
    uint8_t head[2];

    while (platform_read(in, head, sizeof head) == sizeof head) {
        dimmer_t *d = &networks[head[0]];
        const dimmer_dims_t *n = &d->model->dims;

        if (dimmer_set_mode(d, head[1]) != DIMMER_OK) {
            return "there is no such mode";
        }
        if (platform_read(in, dimmer_input(d), n->input.size) != n->input.size) {
            return "the records end too early";
        }
        if (dimmer_invoke(d) != DIMMER_OK) {
            return "an inference failed";
        }
        if (platform_write(out, dimmer_output(d), n->output.size) != n->output.size) {
            return "the results cannot be written";
        }
    }
    return NULL;
}

int main(int argc, char **argv) {
    const char *words[3];
    const char *error;
    int in;
    int out;

    if (dimmer_init(&networks[0], &FIRST, arena, sizeof arena) != DIMMER_OK ||
        dimmer_init(&networks[1], &SECOND, arena, sizeof arena) != DIMMER_OK) {
        return fail("a model does not start");
    }
    if (platform_arguments(argc, argv, words, 3) != 2) {
        return fail("say IN OUT");
    }
    in = platform_open(words[0], PLATFORM_READ);
    out = platform_open(words[1], PLATFORM_WRITE);
    if (in < 0 || out < 0) {
        return fail("a file cannot be opened");
    }
    error = run(in, out);
    (void)platform_close(in);
    if (platform_close(out) != 0 && error == NULL) {
        error = "the results cannot be written";
    }
    return error != NULL ? fail(error) : 0;
}
