/* SPDX-License-Identifier: Apache-2.0 */
// The library from C++17: a class owns the arena and the state, and errors are exceptions. The library and
// the model are C and are compiled as C; their headers say so to a C++ compiler.
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <stdexcept>

#include "dimmer.h"
#include "dimmer_known_answers.h"
#include "dimmer_model.h"

namespace {

class Network {
  public:
    Network() {
        check(dimmer_init(&state_, &dimmer_model, arena_, sizeof arena_));
    }

    // The library keeps addresses of both members.
    Network(const Network &) = delete;
    Network &operator=(const Network &) = delete;

    // int8[input] -> int8[output], valid until the next call.
    const std::int8_t *run(const std::int8_t *input, dimmer_mode_id_t mode) {
        check(dimmer_set_mode(&state_, mode));
        std::memcpy(dimmer_input(&state_), input, DIMMER_MODEL_INPUT_SIZE);
        check(dimmer_invoke(&state_));
        return dimmer_output(&state_);
    }

  private:
    static void check(dimmer_status_t status) {
        if (status != DIMMER_OK) {
            throw std::runtime_error(dimmer_status_text(status));
        }
    }

    alignas(DIMMER_ARENA_ALIGN) std::uint8_t arena_[DIMMER_MODEL_ARENA_SIZE];
    dimmer_t state_;
};

} // namespace

int main() {
    // Static, since the arena is too large for some stacks.
    static Network network;
    int differences = 0;

    for (dimmer_mode_id_t mode = 0; mode < DIMMER_MODEL_MODE_COUNT; ++mode) {
        const std::int8_t *output = network.run(dimmer_known_input, mode);
        const bool equal = std::memcmp(output, dimmer_known_outputs[mode], DIMMER_MODEL_OUTPUT_SIZE) == 0;

        std::printf("mode %u: %s\n", static_cast<unsigned>(mode),
                    equal ? "as TFLite computes it" : "DIFFERENT");
        differences += equal ? 0 : 1;
    }
    return differences;
}
