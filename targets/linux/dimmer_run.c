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
#include "options.h"
#include "service.h"
#include "tvm_engine.h"
#include "tvm_files.h"

/* From bundle_table.c, which is generated. */
extern const dimmer_tvm_bundle_t dimmer_bundle;

typedef struct {
    const options_t *options;
    dimmer_tvm_t *tvm;
    dimmer_t network;
    void *arena;
    dimmer_battery_t battery;
    int sampled;
    int silent; /* the battery could not be read the last time, which was said */
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
    } else if (battery_read(&s->options->battery, &s->battery, why)) {
        s->silent = 0;
    } else if (!s->sampled) {
        return 0;
    } else {
        /* A gauge may be silent for a while: what to make of that is the policy's. */
        s->battery.charge_permille = DIMMER_UNKNOWN;
        s->battery.millivolts = DIMMER_UNKNOWN;
        s->battery.harvest_ua = 0u;
        s->battery.flags = 0u;
        if (!s->silent) {
            fprintf(stderr, "warning: %s\n", why);
        }
        s->silent = 1;
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

static int is_written(char *why) {
    if (fflush(stdout) == 0 && !ferror(stdout)) {
        return 1;
    }
    snprintf(why, DIMMER_MESSAGE, "standard output cannot be written: is its disk full?");
    return 0;
}

/* As a JSON line, or as an entry of the journal with the same as fields. */
static int print_result(const session_t *s, const char *name, unsigned long frame, double latency_s,
                        char *why) {
    const int8_t *scores = dimmer_output(&s->network);
    const char *mode = dimmer_bundle.modes[dimmer_running_mode(&s->network)].name;
    char charge[16] = "null";
    char entry[DIMMER_MESSAGE];
    uint32_t best = 0u;
    uint32_t i;

    for (i = 1u; i < dimmer_bundle.output.size; ++i) {
        if (scores[i] > scores[best]) {
            best = i;
        }
    }
    if (s->sampled && s->battery.charge_permille <= 1000u) {
        snprintf(charge, sizeof charge, "%u", (unsigned)s->battery.charge_permille);
    }
    snprintf(entry, sizeof entry,
             "MESSAGE=class %u in mode %s\nPRIORITY=6\nDIMMER_FRAME=%lu\nDIMMER_CLASS=%u\nDIMMER_SCORE=%d\n"
             "DIMMER_MODE=%s\nDIMMER_LATENCY_US=%.1f\nDIMMER_CHARGE_PERMILLE=%s\n",
             (unsigned)best, mode, frame, (unsigned)best, scores[best], mode, latency_s * 1e6, charge);
    if (service_journal(entry)) {
        return 1;
    }
    printf("{\"event\":\"result\",\"file\":");
    print_text(name);
    printf(",\"frame\":%lu,\"class\":%u,\"score\":%d,\"mode\":\"%s\",\"latency_us\":%.1f,\"charge_permille\":"
           "%s}\n",
           frame, (unsigned)best, scores[best], mode, latency_s * 1e6, charge);
    return is_written(why);
}

/* Bytes of a packed stream that belong to no whole frame: a writer died, or two wrote at once. */
static int print_skipped(const char *name, unsigned long bytes, char *why) {
    char entry[DIMMER_MESSAGE];

    snprintf(entry, sizeof entry, "MESSAGE=%lu bytes are no whole frame\nPRIORITY=4\nDIMMER_SKIPPED=%lu\n",
             bytes, bytes);
    if (service_journal(entry)) {
        return 1;
    }
    printf("{\"event\":\"skipped\",\"file\":");
    print_text(name);
    printf(",\"bytes\":%lu}\n", bytes);
    return is_written(why);
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
    do {
        const uint64_t lost = frames.lost;

        service_waits(1);
        found = frames_next(&frames, dimmer_input(&s->network), why);
        service_waits(0);
        if (frames.lost != lost && !print_skipped(name, (unsigned long)(frames.lost - lost), why)) {
            found = -1;
        }
        if (found == 1 && (!report_battery(s, why) || !invoke(s, &latency_s, why) ||
                           !print_result(s, name, frame++, latency_s, why))) {
            found = -1;
        }
    } while (found == 1);
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
    service_ready();
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
        fputs(options_help, stdout);
        return 0;
    }
    memset(&options, 0, sizeof options);
    memset(&session, 0, sizeof session);
    options.percent = -1.0;
    options.battery.path = DIMMER_POWER_SUPPLIES;
    options.files = calloc((size_t)argc + 1u, sizeof *options.files);
    if (options.files == NULL || !options_read(&options, argc, argv, why)) {
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
    if (result != 2 && !is_written(why)) {
        result = 2;
    }
    return result == 2 ? fail(why) : result;
}
