/* SPDX-License-Identifier: Apache-2.0 */
/* Around board.sv: memory, and semihosting for the program that runs on the core.
 *
 *   simulator --memory ORIGIN SIZE [--memory ORIGIN SIZE] firmware.elf word...
 *
 * Two registers at DOORBELL take the number of a semihosting operation and the address of its arguments;
 * writing the second carries it out, and the first then reads as its result (core.c). The exit status is the
 * program's. One that touches what is no memory ends with FAULT, as one does whose own handler takes an
 * exception. */
#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "Vboard.h"
#include "Vboard__Dpi.h"
#include "verilated.h"

namespace {

constexpr uint32_t DOORBELL = 0x10000000u;
constexpr uint32_t BOOT = 0x1000u; /* the cores' reset vectors lie in these bytes */
constexpr uint32_t BOOT_SIZE = 0x100u;
constexpr int USAGE = 2;
constexpr int FAULT = 70;

struct Region {
    uint32_t origin;
    std::vector<uint8_t> bytes;
};

std::vector<Region> regions;
uint32_t boot[2];
std::string command_line;
uint32_t operation;
uint32_t result;
bool finished;
int exit_code;

[[noreturn]] void end(int code, const std::string &message) {
    std::fprintf(stderr, "%s\n", message.c_str());
    std::exit(code);
}

std::string hex(uint32_t value) {
    char text[16];

    std::snprintf(text, sizeof text, "0x%08x", static_cast<unsigned>(value));
    return text;
}

/* Where `size` bytes lie; nullptr where not all of them are in one region. */
uint8_t *find(uint32_t address, uint32_t size) {
    for (Region &region : regions) {
        const uint32_t offset = address - region.origin;

        if (offset < region.bytes.size() && size <= region.bytes.size() - offset) {
            return region.bytes.data() + offset;
        }
    }
    return nullptr;
}

uint8_t *memory(uint32_t address, uint32_t size) {
    uint8_t *const found = find(address, size);

    if (found == nullptr && size != 0u) {
        end(FAULT, "the program uses " + hex(address) + ", where there is no memory");
    }
    return found;
}

uint32_t word(uint32_t address) {
    uint32_t value;

    std::memcpy(&value, memory(address, sizeof value), sizeof value);
    return value;
}

/* Operations and their arguments: RISC-V International, "RISC-V Semihosting", 0.4. */
int32_t open_file(uint32_t arguments) {
    const uint32_t mode = word(arguments + 4u);
    const uint32_t length = word(arguments + 8u);
    const std::string path(reinterpret_cast<char *>(memory(word(arguments), length)), length);

    if (path == ":tt") {
        return mode < 4u ? STDIN_FILENO : STDOUT_FILENO;
    }
    return mode < 4u ? open(path.c_str(), O_RDONLY) : open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0666);
}

/* Reads or writes all it can. Returns how many bytes are left. */
int32_t transfer(uint32_t arguments, bool reads) {
    const int handle = static_cast<int>(word(arguments));
    uint32_t left = word(arguments + 8u);
    uint8_t *at = memory(word(arguments + 4u), left);

    while (left != 0u) {
        const ssize_t done = reads ? read(handle, at, left) : write(handle, at, left);

        if (done <= 0) {
            break;
        }
        at += done;
        left -= static_cast<uint32_t>(done);
    }
    return static_cast<int32_t>(left);
}

int32_t give_command_line(uint32_t arguments) {
    const uint32_t size = static_cast<uint32_t>(command_line.size());

    if (size >= word(arguments + 4u)) {
        return -1;
    }
    std::memcpy(memory(word(arguments), size + 1u), command_line.c_str(), size + 1u);
    std::memcpy(memory(arguments + 4u, sizeof size), &size, sizeof size);
    return 0;
}

int32_t serve(uint32_t number, uint32_t arguments) {
    switch (number) {
    case 0x01:
        return open_file(arguments);
    case 0x02:
        return close(static_cast<int>(word(arguments)));
    case 0x05:
        return transfer(arguments, false);
    case 0x06:
        return transfer(arguments, true);
    case 0x15:
        return give_command_line(arguments);
    case 0x20:
        finished = true;
        exit_code = static_cast<int>(word(arguments + 4u));
        return 0;
    default:
        end(FAULT, "the program asks for semihosting operation " + hex(number) + ", which is not served");
    }
}

std::vector<uint8_t> contents(const char *path) {
    std::vector<uint8_t> found;
    uint8_t block[65536];
    size_t count;
    FILE *const file = std::fopen(path, "rb");

    if (file == nullptr) {
        end(USAGE, std::string(path) + " cannot be read");
    }
    while ((count = std::fread(block, 1, sizeof block, file)) > 0) {
        found.insert(found.end(), block, block + count);
    }
    (void)std::fclose(file);
    return found;
}

template <typename T> T field(const std::vector<uint8_t> &file, size_t offset) {
    T value;

    if (offset > file.size() || sizeof value > file.size() - offset) {
        end(USAGE, "the ELF file is cut short");
    }
    std::memcpy(&value, file.data() + offset, sizeof value);
    return value;
}

/* Puts the loaded segments of a 32-bit ELF file where they belong. Returns its entry. */
uint32_t load(const char *path) {
    static const uint8_t magic[] = {0x7F, 'E', 'L', 'F', 1, 1};
    const std::vector<uint8_t> file = contents(path);

    if (file.size() < sizeof magic || std::memcmp(file.data(), magic, sizeof magic) != 0) {
        end(USAGE, std::string(path) + " is no 32-bit ELF file");
    }
    const uint32_t table = field<uint32_t>(file, 28);
    const uint32_t entry_size = field<uint16_t>(file, 42);
    const uint32_t entries = field<uint16_t>(file, 44);

    for (uint32_t i = 0; i < entries; ++i) {
        const size_t at = static_cast<size_t>(table) + static_cast<size_t>(i) * entry_size;
        const uint32_t offset = field<uint32_t>(file, at + 4u);
        const uint32_t size = field<uint32_t>(file, at + 16u);

        if (field<uint32_t>(file, at) != 1u || size == 0u) { /* PT_LOAD */
            continue;
        }
        if (offset > file.size() || size > file.size() - offset) {
            end(USAGE, "the ELF file is cut short");
        }
        std::memcpy(memory(field<uint32_t>(file, at + 12u), size), file.data() + offset, size);
    }
    return field<uint32_t>(file, 24);
}

uint32_t number(const char *text) {
    char *rest;
    const unsigned long value = std::strtoul(text, &rest, 0);

    if (*text == '\0' || *rest != '\0' || value > UINT32_MAX) {
        end(USAGE, std::string("'") + text + "' is no number of 32 bits");
    }
    return static_cast<uint32_t>(value);
}

} // namespace

/* What board.sv asks. An address that is fetched may lie behind a jump, and then means nothing. */
unsigned int memory_fetch(unsigned int address) {
    if (address - BOOT < BOOT_SIZE) {
        return boot[address / 4u % 2u];
    }
    const uint8_t *const found = find(address & ~3u, 4);
    uint32_t value = 0;

    if (found != nullptr) {
        std::memcpy(&value, found, sizeof value);
    }
    return value;
}

unsigned int memory_load(unsigned int address) {
    return address == DOORBELL ? result : word(address & ~3u);
}

void memory_store(unsigned int address, unsigned int enabled, unsigned int data) {
    if (address == DOORBELL) {
        operation = data;
        return;
    }
    if (address == DOORBELL + 4u) {
        result = static_cast<uint32_t>(serve(operation, data));
        return;
    }
    uint8_t *const found = memory(address & ~3u, 4);

    for (unsigned int byte = 0; byte < 4u; ++byte) {
        if (((enabled >> byte) & 1u) != 0u) {
            found[byte] = static_cast<uint8_t>(data >> (8u * byte));
        }
    }
}

int main(int argc, char **argv) {
    int at = 1;

    for (; at + 2 < argc && std::strcmp(argv[at], "--memory") == 0; at += 3) {
        regions.push_back({number(argv[at + 1]), std::vector<uint8_t>(number(argv[at + 2]))});
    }
    if (at >= argc) {
        end(USAGE, "say --memory ORIGIN SIZE, the program's ELF file and its words");
    }
    const uint32_t entry = load(argv[at]);

    command_line = "firmware"; /* whatever the path is: a space in it would part it into words */
    for (int i = at + 1; i < argc; ++i) {
        command_line += " " + std::string(argv[i]);
    }
    /* lui t0, the upper bits; jalr x0, the lower ones(t0): a signed number, hence the carry. */
    const uint32_t upper = (entry + 0x800u) & 0xFFFFF000u;

    boot[0] = upper | 0x2B7u;
    boot[1] = (entry - upper) << 20 | 0x28067u;

    VerilatedContext context;
    Vboard board(&context);

    board.rst_n = 0;
    for (int cycle = 0; !finished; ++cycle) {
        if (cycle == 8) {
            board.rst_n = 1;
        }
        cycle = cycle > 8 ? 9 : cycle;
        board.clk = 1;
        board.eval();
        board.clk = 0;
        board.eval();
    }
    board.final();
    return exit_code;
}
