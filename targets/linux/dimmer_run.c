/* SPDX-License-Identifier: Apache-2.0 */
/* dimmer-run: images or frames in, one JSON line for each out: class, mode, latency.
 * It stands in a bundle's bin/; the bundle around it has the library, the weights and TVM's runtime. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "battery.h"
#include "frames.h"
#include "tvm_engine.h"
#include "tvm_files.h"

/* From bundle_table.c, which is generated. */
extern const dimmer_tvm_bundle_t dimmer_bundle;

static const char HELP[] =
    "usage: dimmer-run [options] FILE...\n"
    "Classifies images: .npy, .ppm, .pgm, .u8 (pixels), .i8 (codes); - for standard input.\n"
    "  --self-test            compare every mode with the bundled results, bit for bit\n"
    "  --modes                list the modes\n"
    "  --mode NAME            run this mode, whatever the battery says\n"
    "  --battery PERCENT      take this for the battery's charge\n"
    "  --battery-path DIR     a folder of power supplies, one supply, or an INA3221's hwmon folder\n"
    "                         (default " DIMMER_POWER_SUPPLIES ")\n"
    "  --battery-channel N    of the INA3221 (default 1)\n"
    "  --battery-empty-mv N, --battery-full-mv N    INA3221: what the empty and the full battery measure\n"
    "  --device cpu|cuda      what computes (default cpu)\n"
    "  --format u8|i8         of every FILE, and of standard input, which has no name\n"
    "  --bundle DIR           the bundle (default: the folder above this program's)\n";

typedef struct {
    const char *folder;
    const char *mode;
    double percent; /* below 0: read the battery */
    battery_source_t battery;
    frames_format_t format;
    dimmer_tvm_device_t device;
    int self_test;
    int list;
    char **files;
    int file_count;
} options_t;

typedef struct {
    const options_t *options;
    dimmer_tvm_t *tvm;
    dimmer_t network;
    void *arena;
    dimmer_battery_t battery;
    int sampled;
} session_t;

static int fail(const char *message) {
    fprintf(stderr, "error: %s\n", message);
    return 2;
}

static double seconds(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void print_text(const char *text) {
    putchar('"');
    for (; *text != '\0'; ++text) {
        const unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\') {
            printf("\\%c", c);
        } else if (c < 0x20u) {
            printf("\\u%04x", c);
        } else {
            putchar(c);
        }
    }
    putchar('"');
}

static int whole(const char *text, long low, long high, long *value) {
    char *end;

    *value = strtol(text, &end, 10);
    return end != text && *end == '\0' && *value >= low && *value <= high;
}

/* One option with a value. Returns 1; 0 with the reason in `why`. */
static int set_option(options_t *o, const char *name, const char *value, char *why) {
    char *end;
    long number = 0;
    int good = 1;

    if (strcmp(name, "--bundle") == 0) {
        o->folder = value;
    } else if (strcmp(name, "--mode") == 0) {
        o->mode = value;
    } else if (strcmp(name, "--battery") == 0) {
        o->percent = strtod(value, &end);
        good = end != value && *end == '\0' && o->percent >= 0.0 && o->percent <= 100.0;
    } else if (strcmp(name, "--battery-path") == 0) {
        o->battery.path = value;
    } else if (strcmp(name, "--battery-channel") == 0) {
        good = whole(value, 1, 3, &number);
        o->battery.channel = (unsigned)number;
    } else if (strcmp(name, "--battery-empty-mv") == 0) {
        good = whole(value, 0, 65535, &number);
        o->battery.empty_mv = (uint16_t)number;
    } else if (strcmp(name, "--battery-full-mv") == 0) {
        good = whole(value, 1, 65535, &number);
        o->battery.full_mv = (uint16_t)number;
    } else if (strcmp(name, "--device") == 0) {
        good = strcmp(value, "cpu") == 0 || strcmp(value, "cuda") == 0;
        o->device = strcmp(value, "cuda") == 0 ? DIMMER_TVM_CUDA : DIMMER_TVM_CPU;
    } else if (strcmp(name, "--format") == 0) {
        good = strcmp(value, "u8") == 0 || strcmp(value, "i8") == 0;
        o->format = value[0] == 'u' ? FRAMES_U8 : FRAMES_I8;
    } else {
        snprintf(why, DIMMER_MESSAGE, "unknown option %s: see dimmer-run --help", name);
        return 0;
    }
    if (!good) {
        snprintf(why, DIMMER_MESSAGE, "%s takes no %s: see dimmer-run --help", name, value);
    }
    return good;
}

static int read_options(options_t *o, int argc, char **argv, char *why) {
    int i;

    for (i = 1; i < argc; ++i) {
        if (strcmp(argv[i], "--self-test") == 0) {
            o->self_test = 1;
        } else if (strcmp(argv[i], "--modes") == 0) {
            o->list = 1;
        } else if (strncmp(argv[i], "--", 2u) == 0) {
            if (i + 1 == argc) {
                snprintf(why, DIMMER_MESSAGE, "%s needs a value: see dimmer-run --help", argv[i]);
                return 0;
            }
            if (!set_option(o, argv[i], argv[i + 1], why)) {
                return 0;
            }
            ++i;
        } else {
            o->files[o->file_count++] = argv[i];
        }
    }
    if (o->file_count == 0 && !o->self_test && !o->list) {
        snprintf(why, DIMMER_MESSAGE, "no image named: see dimmer-run --help");
        return 0;
    }
    return 1;
}

/* The folder above the one that this program lies in. */
static int own_bundle(char folder[TVM_PATH]) {
    const ssize_t size = readlink("/proc/self/exe", folder, TVM_PATH - 1u);
    int up;

    if (size <= 0) {
        return 0;
    }
    folder[size] = '\0';
    for (up = 0; up < 2; ++up) {
        char *slash = strrchr(folder, '/');

        if (slash == NULL) {
            return 0;
        }
        *slash = '\0';
    }
    return 1;
}

static int list_modes(void) {
    uint16_t m;

    for (m = 0; m < dimmer_bundle.mode_count; ++m) {
        printf("{\"event\":\"mode\",\"id\":%u,\"name\":\"%s\"}\n", (unsigned)m, dimmer_bundle.modes[m].name);
    }
    return 0;
}

/* Once a second at most: a fuel gauge takes milliseconds to answer. */
static int report_battery(session_t *s, char *why) {
    const double now = seconds();
    dimmer_status_t status;

    if (s->options->mode != NULL || (s->sampled && (uint32_t)now == s->battery.time_s)) {
        return 1;
    }
    if (s->options->percent >= 0.0) {
        s->battery.charge_permille = (uint16_t)(s->options->percent * 10.0 + 0.5);
        s->battery.millivolts = UINT16_MAX;
        s->battery.harvest_ua = 0u;
    } else if (!battery_read(&s->options->battery, &s->battery, why)) {
        return 0;
    }
    s->battery.time_s = (uint32_t)now;
    s->sampled = 1;
    status = dimmer_report_battery(&s->network, &s->battery);
    if (status != DIMMER_OK) {
        snprintf(why, DIMMER_MESSAGE, "%s: name a mode with --mode", dimmer_status_text(status));
        return 0;
    }
    return 1;
}

static void print_result(const session_t *s, const char *name, unsigned long frame, double latency_s) {
    const int8_t *scores = dimmer_output(&s->network);
    uint32_t best = 0u;
    uint32_t i;

    for (i = 1u; i < dimmer_bundle.output.size; ++i) {
        if (scores[i] > scores[best]) {
            best = i;
        }
    }
    printf("{\"event\":\"result\",\"file\":");
    print_text(name);
    printf(
        ",\"frame\":%lu,\"class\":%u,\"score\":%d,\"mode\":\"%s\",\"latency_us\":%.1f,\"charge_permille\":",
        frame, (unsigned)best, scores[best], dimmer_bundle.modes[dimmer_running_mode(&s->network)].name,
        latency_s * 1e6);
    if (s->sampled) {
        printf("%u}\n", (unsigned)s->battery.charge_permille);
    } else {
        printf("null}\n");
    }
    fflush(stdout);
}

static int invoke(session_t *s, double *latency_s, char *why) {
    const double start = seconds();
    const dimmer_status_t status = dimmer_invoke(&s->network);
    const char *error = dimmer_tvm_error(s->tvm);

    *latency_s = seconds() - start;
    if (status != DIMMER_OK || error != NULL) {
        snprintf(why, DIMMER_MESSAGE, "%s", error != NULL ? error : dimmer_status_text(status));
        return 0;
    }
    return 1;
}

static int run_file(session_t *s, const char *name, char *why) {
    const frame_shape_t shape = {dimmer_bundle.height, dimmer_bundle.width, dimmer_bundle.channels};
    frames_t frames;
    unsigned long frame = 0u;
    double latency_s;
    int found;

    if (!frames_open(&frames, name, s->options->format, shape, why)) {
        return 0;
    }
    while ((found = frames_next(&frames, dimmer_input(&s->network), why)) == 1) {
        if (!report_battery(s, why) || !invoke(s, &latency_s, why)) {
            found = -1;
            break;
        }
        print_result(s, name, frame++, latency_s);
    }
    frames_close(&frames);
    return found == 0;
}

/* Returns 0 where all is equal, 1 where not, 2 where it could not be run. */
static int self_test(session_t *s, char *why) {
    const dimmer_tvm_bundle_t *b = &dimmer_bundle;
    const size_t size = b->output.size;
    int8_t *inputs = tvm_file_read(s->options->folder, b->inputs, (size_t)b->samples * b->input.size, why);
    int result = inputs == NULL ? 2 : 0;
    uint16_t m;

    for (m = 0; m < b->mode_count && result != 2; ++m) {
        int8_t *expected = tvm_file_read(s->options->folder, b->modes[m].expected, b->samples * size, why);
        uint32_t wrong = 0u;
        uint32_t i;
        double total_s = 0.0;

        if (expected == NULL) {
            result = 2;
            break;
        }
        (void)dimmer_set_mode(&s->network, (dimmer_mode_id_t)m);
        for (i = 0u; i < b->samples; ++i) {
            double latency_s;

            memcpy(dimmer_input(&s->network), inputs + (size_t)i * b->input.size, b->input.size);
            if (!invoke(s, &latency_s, why)) {
                result = 2;
                break;
            }
            total_s += latency_s;
            wrong += memcmp(dimmer_output(&s->network), expected + i * size, size) != 0;
        }
        free(expected);
        if (result != 2) {
            printf("{\"event\":\"selftest\",\"mode\":\"%s\",\"samples\":%u,\"mismatches\":%u,\"ok\":%s,"
                   "\"latency_us\":%.1f}\n",
                   b->modes[m].name, (unsigned)b->samples, (unsigned)wrong, wrong == 0u ? "true" : "false",
                   b->samples == 0u ? 0.0 : total_s * 1e6 / b->samples);
            fflush(stdout);
            result = wrong == 0u ? result : 1;
        }
    }
    free(inputs);
    return result;
}

static int choose_mode(session_t *s, char *why) {
    uint16_t m;

    if (s->options->mode == NULL) {
        return 1;
    }
    for (m = 0; m < dimmer_bundle.mode_count; ++m) {
        if (strcmp(dimmer_bundle.modes[m].name, s->options->mode) == 0) {
            return dimmer_set_mode(&s->network, (dimmer_mode_id_t)m) == DIMMER_OK;
        }
    }
    snprintf(why, DIMMER_MESSAGE, "%s has no mode %s: dimmer-run --modes lists them", dimmer_bundle.model,
             s->options->mode);
    return 0;
}

static int run(session_t *s, char *why) {
    dimmer_status_t status;
    size_t size;
    int i;

    s->tvm = dimmer_tvm_open(&dimmer_bundle, s->options->folder, s->options->device, why);
    if (s->tvm == NULL) {
        return 2;
    }
    size = dimmer_tvm_arena_size(s->tvm);
    if (posix_memalign(&s->arena, DIMMER_ARENA_ALIGN, size) != 0) {
        snprintf(why, DIMMER_MESSAGE, "no memory for the arena");
        return 2;
    }
    status = dimmer_init(&s->network, dimmer_tvm_model(s->tvm), s->arena, size);
    if (status != DIMMER_OK) {
        snprintf(why, DIMMER_MESSAGE, "%s", dimmer_status_text(status));
        return 2;
    }
    if (s->options->self_test) {
        return self_test(s, why);
    }
    if (!choose_mode(s, why)) {
        return 2;
    }
    for (i = 0; i < s->options->file_count; ++i) {
        if (!run_file(s, s->options->files[i], why)) {
            return 2;
        }
    }
    return 0;
}

int main(int argc, char **argv) {
    char why[DIMMER_MESSAGE] = "";
    char folder[TVM_PATH];
    options_t options;
    session_t session;
    int result;

    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        fputs(HELP, stdout);
        return 0;
    }
    memset(&options, 0, sizeof options);
    memset(&session, 0, sizeof session);
    options.percent = -1.0;
    options.battery.path = DIMMER_POWER_SUPPLIES;
    options.files = calloc((size_t)argc + 1u, sizeof *options.files);
    if (options.files == NULL || !read_options(&options, argc, argv, why)) {
        free(options.files);
        return fail(why);
    }
    if (options.folder == NULL) {
        if (!own_bundle(folder)) {
            free(options.files);
            return fail("this program does not know where it lies: name the bundle with --bundle");
        }
        options.folder = folder;
    }
    session.options = &options;
    result = options.list ? list_modes() : run(&session, why);
    dimmer_tvm_close(session.tvm);
    free(session.arena);
    free(options.files);
    return result == 2 ? fail(why) : result;
}
