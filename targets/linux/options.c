/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

const char options_help[] =
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
    "  --format u8|i8|packed  of every FILE, and of standard input, which has no name; packed: pixels "
    "behind\n"
    "                         \"DMF1\", their size and their CRC-32 (uint32, little-endian), for pipes\n"
    "  --bundle DIR           the bundle (default: the folder above this program's)\n";

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
        good = strcmp(value, "u8") == 0 || strcmp(value, "i8") == 0 || strcmp(value, "packed") == 0;
        o->format = value[0] == 'u' ? FRAMES_U8 : value[0] == 'i' ? FRAMES_I8 : FRAMES_PACKED;
    } else {
        snprintf(why, DIMMER_MESSAGE, "unknown option %s: see dimmer-run --help", name);
        return 0;
    }
    if (!good) {
        snprintf(why, DIMMER_MESSAGE, "%s takes no %s: see dimmer-run --help", name, value);
    }
    return good;
}

int options_read(options_t *o, int argc, char **argv, char *why) {
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
