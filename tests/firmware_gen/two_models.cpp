/* SPDX-License-Identifier: Apache-2.0 */
// What two_models.c does, in C++17: the library and the tables are C, the program is not.
#include <stddef.h>

#include "dimmer.h"
extern "C" {
#include "platform.h"
#include "text.h"
}
#include "two_models.h"

namespace {

constexpr size_t kArenaSize = FIRST_ARENA_SIZE > SECOND_ARENA_SIZE ? FIRST_ARENA_SIZE : SECOND_ARENA_SIZE;
static_assert(FIRST_INPUT_SCALE > 0.0f && FIRST_INPUT_ZERO_POINT >= -128, "scales are constants");
static_assert(SECOND_OUTPUT_SCALE > 0.0f && SECOND_OUTPUT_ZERO_POINT <= 127, "scales are constants");

alignas(DIMMER_ARENA_ALIGN) uint8_t arena[kArenaSize];
text_t text;

class Network {
  public:
    dimmer_status_t start(const dimmer_model_t &model) {
        return dimmer_init(&state_, &model, arena, sizeof arena);
    }

    // Null where all went well.
    const char *run(uint8_t mode, int in, int out) {
        const dimmer_dims_t &n = state_.model->dims;

        if (dimmer_set_mode(&state_, mode) != DIMMER_OK) {
            return "there is no such mode";
        }
        if (platform_read(in, dimmer_input(&state_), n.input.size) != n.input.size) {
            return "the records end too early";
        }
        if (dimmer_invoke(&state_) != DIMMER_OK) {
            return "an inference failed";
        }
        return platform_write(out, dimmer_output(&state_), n.output.size) == n.output.size
                   ? nullptr
                   : "the results cannot be written";
    }

  private:
    dimmer_t state_ = {};
};

Network networks[2];

int fail(const char *message) {
    text_begin(&text, "error");
    text_string(&text, "message", message);
    text_end(&text);
    return 1;
}

const char *run(int in, int out) {
    uint8_t head[2];
    const char *error = nullptr;

    while (error == nullptr && platform_read(in, head, sizeof head) == sizeof head) {
        error = networks[head[0]].run(head[1], in, out);
    }
    return error;
}

} // namespace

int main(int argc, char **argv) {
    const char *words[3];

    if (networks[0].start(FIRST) != DIMMER_OK || networks[1].start(SECOND) != DIMMER_OK) {
        return fail("a model does not start");
    }
    if (platform_arguments(argc, argv, words, 3) != 2) {
        return fail("say IN OUT");
    }
    const int in = platform_open(words[0], PLATFORM_READ);
    const int out = platform_open(words[1], PLATFORM_WRITE);
    if (in < 0 || out < 0) {
        return fail("a file cannot be opened");
    }
    const char *error = run(in, out);
    (void)platform_close(in);
    if (platform_close(out) != 0 && error == nullptr) {
        error = "the results cannot be written";
    }
    return error != nullptr ? fail(error) : 0;
}
