/* SPDX-License-Identifier: Apache-2.0 */
/* The application around a generated model, the same on the host and on a board. Its words:
 *
 * - (nothing): the self-test, then the model under a falling battery; on a board all modes by turns, with a
 *   pin high meanwhile.
 * - selftest: each mode's known answer.
 * - verify IN OUT: runs the records of IN, each with its own mode at each position; writes the results.
 * - gated IN OUT: runs the records of IN, each with its own budget, as the gates choose; writes the results.
 * - bench: instructions of each mode, of a mode switch and of all gates; stack.
 * - layers: instructions of each step of each mode. Where the core counts cycles, those, too.
 * - battery CURVE: an inference for each line of a CSV, time_s,charge_permille,millivolts,harvest_ua.
 * - flash OFFSET BYTES: on a board, the CRC-32 of so many bytes of its flash.
 *
 * --count as the last word says that the instruction counter means something in this run.
 * Everything is said in lines of JSON; the exit code is 0 where all went well.
 */
#include <string.h>

#include "dimmer.h"
#include "dimmer_gates.h"
#include "dimmer_known_answers.h"
#include "dimmer_model.h"
#include "platform.h"
#include "predicted.h"
#include "text.h"
#if defined(DIMMER_BOARD)
#include "board.h"
#endif

#if !defined(DIMMER_APP_ARENA_ALIGN)
#define DIMMER_APP_ARENA_ALIGN DIMMER_ARENA_ALIGN
#endif

#define MAX_POSITIONS 256u
#define SWITCHES      1000u

#if defined(DIMMER_ARENA_SECTION)
__attribute__((section(DIMMER_ARENA_SECTION)))
#endif
static uint8_t arena[DIMMER_MODEL_ARENA_SIZE] __attribute__((aligned(DIMMER_APP_ARENA_ALIGN)));
static dimmer_t dimmer;
static text_t text;
static int counting;

/* Whether two words are the same; newlib's strcmp alone takes 732 bytes. */
static int same(const char *a, const char *b) {
    while (*a != '\0' && *a == *b) {
        ++a;
        ++b;
    }
    return *a == *b;
}

static int fail(const char *message) {
    text_begin(&text, "error");
    text_string(&text, "message", message);
    text_end(&text);
    return 1;
}

static const char *mode_name(uint32_t mode) {
    return mode == DIMMER_MODE_GATED ? "gated" : dimmer_model.modes[mode].name;
}

static void put_instructions(uint32_t ticks) {
#if defined(DIMMER_BOARD)
    const int counted = 0; /* of cycles alone */
#else
    const int counted = counting;
#endif

    if (counted) {
        text_number(&text, "instructions", platform_instructions(ticks));
    } else {
        text_word(&text, "instructions", "null");
    }
}

/* What the counters said before something, and what it took afterwards. */
typedef struct {
    uint32_t ticks;
#if defined(PLATFORM_COUNTS_CYCLES)
    uint32_t cycles;
#endif
} cost_t;

/* Cycles around ticks: what reading them takes is no instruction of what is counted. */
static inline void start_counting(cost_t *cost) {
#if defined(PLATFORM_COUNTS_CYCLES)
    cost->cycles = platform_cycles();
#endif
    cost->ticks = platform_ticks();
}

static inline void stop_counting(cost_t *cost) {
    cost->ticks = platform_ticks() - cost->ticks;
#if defined(PLATFORM_COUNTS_CYCLES)
    cost->cycles = platform_cycles() - cost->cycles;
#endif
}

static void put_cost(const cost_t *cost) {
    put_instructions(cost->ticks);
#if defined(PLATFORM_COUNTS_CYCLES)
    if (counting) {
        text_number(&text, "cycles", cost->cycles);
    }
#endif
}

/* Runs one inference. */
static inline cost_t timed_invoke(void) {
    cost_t cost;

    start_counting(&cost);
    (void)dimmer_invoke(&dimmer);
    stop_counting(&cost);
    return cost;
}

/* State begins as in a new device: where known answers are compared, and with each file of records. A board
 * runs one command after the other on the same arena. */
static void begin_anew(void) {
#if defined(DIMMER_MODEL_STATE_SIZE)
    dimmer_model_reset(&dimmer);
#endif
}

static void load_known_input(void) {
    memcpy(dimmer_input(&dimmer), dimmer_known_input, dimmer_model.dims.input.size);
}

#if defined(DIMMER_BOARD)
/* What the mode in force takes: the fewest clock cycles, the rest is waiting for flash. */
static void put_best_of_five(void) {
    uint32_t best = UINT32_MAX;
    uint32_t i;

    for (i = 0; i < 5u && counting; ++i) {
        cost_t cost;

        load_known_input();
        cost = timed_invoke();
        best = cost.cycles < best ? cost.cycles : best;
    }
    /* A counter that stands still is none. */
    if (counting && best != 0u) {
        text_number(&text, "cycles", best);
        text_number(&text, "microseconds", platform_microseconds(best));
    } else {
        text_word(&text, "cycles", "null");
        text_word(&text, "microseconds", "null");
    }
    text_number(&text, "stack", platform_stack_used());
}
#endif

static int selftest(void) {
    const size_t size = dimmer_model.dims.output.size;
    uint32_t mode;
    int failed = 0;

    for (mode = 0; mode < dimmer_model.dims.mode_count; ++mode) {
        int ok;

        (void)dimmer_set_mode(&dimmer, (dimmer_mode_id_t)mode);
        begin_anew();
        load_known_input();
        (void)dimmer_invoke(&dimmer);
        ok = memcmp(dimmer_output(&dimmer), dimmer_known_outputs[mode], size) == 0;
        failed |= !ok;
        text_begin(&text, "selftest");
        text_string(&text, "mode", mode_name(mode));
        text_word(&text, "ok", ok ? "true" : "false");
#if defined(DIMMER_BOARD)
        put_best_of_five();
#endif
        text_end(&text);
    }
    return failed;
}

typedef struct {
    uint8_t wanted[MAX_POSITIONS];
    uint8_t ran[MAX_POSITIONS];
} plan_t;

static plan_t plan;

static void follow_plan(dimmer_t *d, uint16_t position, void *user) {
    plan_t *p = (plan_t *)user;

    p->ran[position - 1u] = dimmer_running_mode(d);
    (void)dimmer_set_mode(d, p->wanted[position]);
}

#if DIMMER_MODEL_GATE_COUNT > 0
static const char *gated_records(int in, int out) {
    const uint16_t blocks = dimmer_gated_blocks(&dimmer);
    uint32_t header[5]; /* "DMG1", count, input bytes, output bytes, blocks */
    uint32_t record;

    (void)dimmer_set_mode(&dimmer, DIMMER_MODE_GATED);
    if (platform_read(in, header, sizeof header) != sizeof header || memcmp(header, "DMG1", 4) != 0) {
        return "the records do not start with a DMG1 header";
    }
    if (header[2] != dimmer_model.dims.input.size || header[3] != dimmer_model.dims.output.size ||
        header[4] != blocks) {
        return "the records were made for a model of other sizes";
    }
    for (record = 0; record < header[1]; ++record) {
        uint8_t level;
        uint16_t block;

        if (platform_read(in, &level, 1) != 1u ||
            platform_read(in, dimmer_input(&dimmer), header[2]) != header[2]) {
            return "the records end too early";
        }
        dimmer_set_budget(&dimmer, level);
        (void)dimmer_invoke(&dimmer);
        for (block = 0; block < blocks; ++block) {
            plan.ran[block] = dimmer_gated_bits(&dimmer, block);
        }
        if (platform_write(out, dimmer_output(&dimmer), header[3]) != header[3] ||
            platform_write(out, plan.ran, blocks) != blocks) {
            return "the results cannot be written";
        }
    }
    return NULL;
}

#else
static const char *gated_records(int in, int out) {
    (void)in;
    (void)out;
    return "the model has no gates";
}
#endif

static const char *verify_records(int in, int out) {
    const uint32_t positions = dimmer_model.dims.position_count;
    uint32_t header[5]; /* "DMV1", count, input bytes, output bytes, positions */
    uint32_t record;
    uint32_t i;

    if (platform_read(in, header, sizeof header) != sizeof header || memcmp(header, "DMV1", 4) != 0) {
        return "the records do not start with a DMV1 header";
    }
    if (header[2] != dimmer_model.dims.input.size || header[3] != dimmer_model.dims.output.size ||
        header[4] != positions) {
        return "the records were made for a model of other sizes";
    }
    dimmer_on_block(&dimmer, follow_plan, &plan);
    for (record = 0; record < header[1]; ++record) {
        if (platform_read(in, plan.wanted, positions) != positions ||
            platform_read(in, dimmer_input(&dimmer), header[2]) != header[2]) {
            return "the records end too early";
        }
        for (i = 0; i < positions; ++i) {
            if (plan.wanted[i] >= dimmer_model.dims.mode_count) {
                return "a record names a mode that the model does not have";
            }
        }
        (void)dimmer_set_mode(&dimmer, plan.wanted[0]);
        (void)dimmer_invoke(&dimmer);
        plan.ran[positions - 1u] = dimmer_running_mode(&dimmer);
        if (platform_write(out, dimmer_output(&dimmer), header[3]) != header[3] ||
            platform_write(out, plan.ran, positions) != positions) {
            return "the results cannot be written";
        }
    }
    return NULL;
}

typedef const char *(*run_records_t)(int in, int out);

static int verify(run_records_t run_records, const char *in_path, const char *out_path) {
    const char *error;
    int in;
    int out;

    if (dimmer_model.dims.position_count > MAX_POSITIONS) {
        return fail("the model has too many positions to verify");
    }
    in = platform_open(in_path, PLATFORM_READ);
    if (in < 0) {
        return fail("the file of records cannot be opened");
    }
    out = platform_open(out_path, PLATFORM_WRITE);
    if (out < 0) {
        (void)platform_close(in);
        return fail("the file of results cannot be opened");
    }
    begin_anew();
    error = run_records(in, out);
    (void)platform_close(in);
    if (platform_close(out) != 0 && error == NULL) {
        error = "the results cannot be written";
    }
    return error != NULL ? fail(error) : 0;
}

#if DIMMER_MODEL_GATE_COUNT > 0
/* All gates of one inference, on what the arena holds: their time does not depend on it. */
static void bench_gates(void) {
    static int16_t state[DIMMER_GATE_UNITS];
    static uint8_t choice[DIMMER_MAX_GATES];
    const uint32_t start = platform_ticks();
    uint32_t ticks;
    uint16_t stage;

    for (stage = 0; stage < dimmer_model.dims.gate_stages; ++stage) {
        dimmer_gates_choose(&dimmer_model, stage, arena, 128, state, choice);
    }
    ticks = platform_ticks() - start;
    text_begin(&text, "gates");
    put_instructions(ticks);
    text_end(&text);
}
#endif

static uint32_t ticks_of_switches(uint32_t modes) {
    dimmer_status_t (*set)(dimmer_t *d, dimmer_mode_id_t mode) = dimmer_set_mode;
    uint32_t start;
    uint32_t i;

    /* A call, whatever the linker knows of the function: what it put into the loop instead would be counted
     * by how many turns it leaves of it. */
    __asm__ volatile("" : "+r"(set));
    start = platform_ticks();
    for (i = 0; i < SWITCHES; ++i) {
        (void)set(&dimmer, (dimmer_mode_id_t)(i & modes));
    }
    return platform_ticks() - start;
}

static uint32_t ticks_of_loop(void) {
    const uint32_t start = platform_ticks();
    uint32_t i;

    for (i = 0; i < SWITCHES; ++i) {
        __asm__ volatile("" ::: "memory");
    }
    return platform_ticks() - start;
}

static int bench(void) {
    const uint32_t stack = platform_stack_used();
    uint32_t mode;

    for (mode = 0; mode < dimmer_model.dims.mode_count; ++mode) {
        cost_t cost;

        (void)dimmer_set_mode(&dimmer, (dimmer_mode_id_t)mode);
        load_known_input();
        cost = timed_invoke();
        text_begin(&text, "bench");
        text_string(&text, "mode", mode_name(mode));
        put_cost(&cost);
        text_end(&text);
    }
    text_begin(&text, "switch");
    put_instructions((ticks_of_switches(dimmer_model.dims.mode_count > 1u ? 1u : 0u) - ticks_of_loop()) /
                     SWITCHES);
    text_end(&text);
#if DIMMER_MODEL_GATE_COUNT > 0
    bench_gates();
#endif
    text_begin(&text, "stack");
    if (stack == PLATFORM_UNKNOWN) {
        text_word(&text, "bytes", "null");
    } else {
        text_number(&text, "bytes", platform_stack_used());
    }
    text_end(&text);
    return 0;
}

/* What dimmer_invoke does, with the counter read around every kernel. Not inlined, or main's frame would
 * hold its variables when the stack is measured. */
__attribute__((noinline)) static int layers(void) {
    const dimmer_model_t *const model = &dimmer_model;
    uint32_t mode;
    uint32_t position;
    uint32_t i;

    for (mode = 0; mode < model->dims.mode_count; ++mode) {
        const uint16_t *schedule = &model->schedules[mode * model->dims.position_count];

        load_known_input();
        for (position = 0; position < model->dims.position_count; ++position) {
            const dimmer_block_t *block = &model->blocks[schedule[position]];

            for (i = block->first_step; i < (uint32_t)block->first_step + block->step_count; ++i) {
                const dimmer_kernel_t *kernel = &model->kernels[model->steps[i].kernel];
                const uint8_t *records = (const uint8_t *)kernel->records;
                cost_t cost;

                start_counting(&cost);
                kernel->run(model, records + (size_t)kernel->record_size * model->steps[i].record, arena);
                stop_counting(&cost);
                text_begin(&text, "layer");
                text_string(&text, "mode", mode_name(mode));
                text_number(&text, "step", i);
                put_cost(&cost);
                text_end(&text);
            }
        }
    }
    return 0;
}

static int report_and_run(const dimmer_battery_t *now) {
    const dimmer_status_t status = dimmer_report_battery(&dimmer, now);
    cost_t cost;

    if (status != DIMMER_OK) {
        return fail(dimmer_status_text(status));
    }
    load_known_input();
    cost = timed_invoke();
    text_begin(&text, "battery");
    text_number(&text, "time_s", now->time_s);
    text_number(&text, "charge_permille", now->charge_permille);
    text_string(&text, "mode", mode_name(dimmer_running_mode(&dimmer)));
    text_signed(&text, "class", predicted_class(&dimmer));
    put_instructions(cost.ticks);
    text_end(&text);
    return 0;
}

typedef struct {
    int handle;
    size_t used;
    size_t filled;
    char data[512];
} reader_t;

static reader_t reader;

/* Returns the next character, -1 at the end. */
static int next_character(reader_t *r) {
    if (r->used == r->filled) {
        r->used = 0;
        r->filled = platform_read(r->handle, r->data, sizeof r->data);
        if (r->filled == 0u) {
            return -1;
        }
    }
    return (unsigned char)r->data[r->used++];
}

/* What a line has in place of a number of columns. */
#define END_OF_FILE (-1)
#define HEADING     (-2) /* no number at all */
#define BAD_LINE    (-3)

/* Reads the four columns of one line. Returns how many numbers it had, 0 for an empty line. */
static int read_line(reader_t *r, uint32_t values[4]) {
    int columns = 0;
    int inside = 0;
    int odd = 0;
    int c = next_character(r);

    if (c < 0) {
        return END_OF_FILE;
    }
    for (; c >= 0 && c != '\n'; c = next_character(r)) {
        const uint32_t digit = (uint32_t)(c - '0');

        if (c >= '0' && c <= '9') {
            if (!inside) {
                inside = 1;
                ++columns;
                if (columns <= 4) {
                    values[columns - 1] = 0;
                }
            }
            if (columns > 4 || values[columns - 1] > (UINT32_MAX - digit) / 10u) {
                odd = 1;
            } else {
                values[columns - 1] = values[columns - 1] * 10u + digit;
            }
        } else {
            inside = 0;
            odd |= c != ',' && c != ' ' && c != '\r';
        }
    }
    return !odd ? columns : (columns == 0 ? HEADING : BAD_LINE);
}

static int battery(const char *path) {
    uint32_t values[4];
    int may_be_heading = 1;
    int failed = 0;
    int columns;

    reader.used = 0;
    reader.filled = 0;
    reader.handle = platform_open(path, PLATFORM_READ);
    if (reader.handle < 0) {
        return fail("the battery curve cannot be opened");
    }
    while (!failed && (columns = read_line(&reader, values)) != END_OF_FILE) {
        dimmer_battery_t now = {0};

        if (columns == 0) {
            continue;
        }
        if (columns == HEADING && may_be_heading) {
            may_be_heading = 0;
            continue;
        }
        may_be_heading = 0;
        if (columns != 4 || values[1] > 1000u || values[2] > UINT16_MAX) {
            failed = fail("a line of the battery curve is not time_s,charge_permille,millivolts,harvest_ua");
            break;
        }
        now.time_s = values[0];
        now.charge_permille = (uint16_t)values[1];
        now.millivolts = (uint16_t)values[2];
        now.harvest_ua = values[3];
        failed = report_and_run(&now);
    }
    return platform_close(reader.handle) != 0 || failed;
}

#if defined(DIMMER_BOARD)
static uint32_t number_of(const char *digits) {
    uint32_t value = 0;

    for (; *digits >= '0' && *digits <= '9'; ++digits) {
        value = value * 10u + (uint32_t)(*digits - '0');
    }
    return value;
}

/* The CRC-32 of so many bytes of the flash: a computer knows what it wrote. */
static int flash_sum(uint32_t offset, uint32_t bytes) {
    uintptr_t at = (uintptr_t)DIMMER_FLASH_BEGIN + offset;

    if (offset > DIMMER_FLASH_BYTES || bytes > DIMMER_FLASH_BYTES - offset) {
        return fail("the flash ends before that");
    }
    __asm__ volatile("" : "+r"(at)); /* it may be 0, where the compiler knows of nothing */
    text_begin(&text, "flash");
    text_number(&text, "crc", dimmer_crc32(0, (const void *)at, bytes));
    text_end(&text);
    return 0;
}

#define PAUSE_MS 200u

/* The self-test, for whoever listens; then inferences of each mode by turns, with a pin high as long as one
 * takes, until a computer calls. */
static int demonstrate(void) {
    uint32_t mode = 0;
    int failed;

    counting = platform_start_counter();
    failed = selftest();
    platform_end(failed);
    while (!failed && !platform_called()) {
        (void)dimmer_set_mode(&dimmer, (dimmer_mode_id_t)mode);
        load_known_input();
        board_pin(1);
        (void)dimmer_invoke(&dimmer);
        board_pin(0);
        board_sleep(PAUSE_MS);
        mode = mode + 1u < dimmer_model.dims.mode_count ? mode + 1u : 0u;
    }
    return failed;
}
#else
static int demonstrate(void) {
    uint32_t step;

    if (selftest() != 0) {
        return 1;
    }
    if (dimmer_model.policy.tier_count == 0u) {
        return 0;
    }
    /* A lithium cell that is drained in a day and charged again. */
    for (step = 0; step <= 30u; ++step) {
        const uint32_t charge = step <= 20u ? 1000u - 50u * step : 100u * (step - 20u);
        dimmer_battery_t now = {0};

        now.time_s = step * 4320u;
        now.charge_permille = (uint16_t)charge;
        now.millivolts = (uint16_t)(3000u + charge * 12u / 10u);
        if (report_and_run(&now) != 0) {
            return 1;
        }
    }
    return 0;
}
#endif

int main(int argc, char **argv) {
    const char *words[4];
    int count = platform_arguments(argc, argv, words, 4);
    dimmer_status_t status;

    if (count > 0 && same(words[count - 1], "--count")) {
        --count;
        counting = platform_start_counter();
    }
#if defined(DIMMER_BOARD)
    else {
        counting = 0; /* one command after the other, without a new start */
    }
#endif
    status = dimmer_init(&dimmer, &dimmer_model, arena, sizeof arena);
    if (status != DIMMER_OK) {
        return fail(dimmer_status_text(status));
    }
    if (count == 0) {
        return demonstrate();
    }
    if (count == 1 && same(words[0], "selftest")) {
        return selftest();
    }
    if (count == 3 && same(words[0], "verify")) {
        return verify(verify_records, words[1], words[2]);
    }
    if (count == 3 && same(words[0], "gated")) {
        return verify(gated_records, words[1], words[2]);
    }
#if defined(DIMMER_BOARD)
    if (count == 3 && same(words[0], "flash")) {
        return flash_sum(number_of(words[1]), number_of(words[2]));
    }
#endif
    if (count == 1 && same(words[0], "bench")) {
        return bench();
    }
    if (count == 1 && same(words[0], "layers")) {
        return layers();
    }
    if (count == 2 && same(words[0], "battery")) {
        return battery(words[1]);
    }
    return fail("say selftest, verify IN OUT, gated IN OUT, bench, layers or battery CURVE");
}
