/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dimmer.h" /* dimmer_crc32 */
#include "frames.h"

#define HEADER 65536u

static int ends_with(const char *text, const char *end) {
    const size_t n = strlen(text);
    const size_t m = strlen(end);

    return n >= m && strcmp(text + n - m, end) == 0;
}

/* Whether the file, which gave less than it should, ended. Where it cannot be read, says why. */
static int is_at_its_end(const frames_t *f, char *why) {
    if (ferror(f->file) == 0) {
        return 1;
    }
    snprintf(why, DIMMER_MESSAGE, "%s cannot be read (%s): check the path and the medium", f->name,
             strerror(errno));
    return 0;
}

static size_t frame_size(const frame_shape_t *s) {
    return (size_t)s->height * s->width * s->channels;
}

/* The text behind 'key': in an .npy header, which is a Python dict. */
static const char *value_of(const char *header, const char *key) {
    const char *at = strstr(header, key);

    at = at == NULL ? NULL : strchr(at, ':');
    if (at == NULL) {
        return NULL;
    }
    ++at;
    while (*at == ' ') {
        ++at;
    }
    return at;
}

/* [N,H,W,C] or [H,W,C]: the number of frames; 0 where it is another shape. */
static uint64_t npy_frames(const char *text, const frame_shape_t *s) {
    unsigned long long d[4];
    unsigned rank = 0u;
    const char *at = text;
    const char *const end = strchr(text, ')');

    if (*at != '(' || end == NULL) {
        return 0u;
    }
    for (++at; at < end;) {
        char *next;
        const unsigned long long value = strtoull(at, &next, 10);

        if (next == at) {
            ++at;
            continue;
        }
        if (rank == 4u) {
            return 0u;
        }
        d[rank++] = value;
        at = next;
    }
    if (rank == 3u) {
        return d[0] == s->height && d[1] == s->width && d[2] == s->channels;
    }
    return rank == 4u && d[1] == s->height && d[2] == s->width && d[3] == s->channels ? d[0] : 0u;
}

static int open_npy(frames_t *f, char *why) {
    unsigned char start[12];
    uint32_t size;
    size_t skip = 10u;
    char *header;
    const char *type;
    const char *order;
    const char *shape;

    if (fread(start, 1u, 10u, f->file) != 10u && !is_at_its_end(f, why)) {
        return 0;
    }
    if (feof(f->file) || memcmp(start, "\x93NUMPY", 6u) != 0) {
        snprintf(why, DIMMER_MESSAGE, "%s is no .npy file: write it with numpy.save", f->name);
        return 0;
    }
    size = start[8] | (uint32_t)start[9] << 8;
    if (start[6] > 1u) {
        if (fread(start + skip, 1u, 2u, f->file) != 2u) {
            size = HEADER;
        } else {
            size |= (uint32_t)start[10] << 16 | (uint32_t)start[11] << 24;
        }
    }
    header = size < HEADER ? malloc(size + 1u) : NULL;
    if (header == NULL || fread(header, 1u, size, f->file) != size) {
        free(header);
        snprintf(why, DIMMER_MESSAGE, "%s ends within its header: copy it again", f->name);
        return 0;
    }
    header[size] = '\0';
    type = value_of(header, "'descr'");
    order = value_of(header, "'fortran_order'");
    shape = value_of(header, "'shape'");
    f->is_unsigned = type != NULL && strncmp(type, "'|u1'", 5u) == 0;
    f->left = shape == NULL ? 0u : npy_frames(shape, &f->shape);
    if (type == NULL || (!f->is_unsigned && strncmp(type, "'|i1'", 5u) != 0) || order == NULL ||
        strncmp(order, "False", 5u) != 0 || f->left == 0u) {
        snprintf(why, DIMMER_MESSAGE,
                 "%s holds no int8 or uint8[N,%u,%u,%u] in C order, which the model takes", f->name,
                 (unsigned)f->shape.height, (unsigned)f->shape.width, (unsigned)f->shape.channels);
        free(header);
        return 0;
    }
    free(header);
    return 1;
}

static uint32_t word(const uint8_t *b) {
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

/* Reads until `count` bytes are held; 0 where the file ends before. */
static int hold(frames_t *f, size_t count) {
    if (f->held < count) {
        f->held += fread(f->packed + f->held, 1u, count - f->held, f->file);
    }
    return f->held >= count;
}

static void drop(frames_t *f, size_t count) {
    f->held -= count;
    memmove(f->packed, f->packed + count, f->held);
}

/* The next packed frame, from wherever it begins: within what a dead writer left unfinished, too. */
static int next_packed(frames_t *f, int8_t *codes) {
    const size_t size = frame_size(&f->shape);
    size_t skip;

    for (;;) {
        (void)hold(f, FRAMES_HEADER);
        skip = 0u;
        while (skip < f->held &&
               memcmp(f->packed + skip, "DMF1", f->held - skip < 4u ? f->held - skip : 4u) != 0) {
            ++skip;
        }
        if (skip == 0u) {
            if (f->held < FRAMES_HEADER) {
                skip = f->held;
            } else if (word(f->packed + 4) != size || !hold(f, FRAMES_HEADER + size) ||
                       dimmer_crc32(0u, f->packed + FRAMES_HEADER, size) != word(f->packed + 8)) {
                skip = 1u;
            } else {
                memcpy(codes, f->packed + FRAMES_HEADER, size);
                drop(f, FRAMES_HEADER + size);
                return 1;
            }
        }
        f->lost += skip;
        drop(f, skip);
        if (f->held == 0u && (feof(f->file) || ferror(f->file))) {
            return 0;
        }
    }
}

int frames_open(frames_t *f, const char *name, frames_format_t format, frame_shape_t shape, char *why) {
    const int is_stdin = strcmp(name, "-") == 0;

    memset(f, 0, sizeof *f);
    f->name = is_stdin ? "standard input" : name;
    f->shape = shape;
    f->left = UINT64_MAX;
    f->is_unsigned = format == FRAMES_U8 || format == FRAMES_PACKED;
    if (format == FRAMES_AUTO) {
        f->is_netpbm = ends_with(name, ".ppm") || ends_with(name, ".pgm");
        f->is_unsigned = f->is_netpbm || ends_with(name, ".u8");
        if (!f->is_unsigned && !ends_with(name, ".i8") && !ends_with(name, ".npy")) {
            snprintf(
                why, DIMMER_MESSAGE,
                "%s: what is in it? name it .npy, .ppm, .pgm, .i8 or .u8, or say --format i8, u8 or packed",
                f->name);
            return 0;
        }
    }
    f->file = is_stdin ? stdin : fopen(name, "rb");
    if (f->file == NULL) {
        snprintf(why, DIMMER_MESSAGE, "%s cannot be opened: check the path", f->name);
        return 0;
    }
    if (format == FRAMES_PACKED) {
        f->packed = malloc(FRAMES_HEADER + frame_size(&shape));
        if (f->packed == NULL) {
            snprintf(why, DIMMER_MESSAGE, "no memory for a frame");
            frames_close(f);
            return 0;
        }
    }
    if (format == FRAMES_AUTO && ends_with(name, ".npy") && !open_npy(f, why)) {
        frames_close(f);
        return 0;
    }
    return 1;
}

/* A number of a netpbm header, comments skipped; -1 where there is none. It takes one character behind the
 * number. */
static long header_number(FILE *file) {
    long value = 0;
    int c = getc(file);

    while (c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '#') {
        if (c == '#') {
            while (c != '\n' && c != EOF) {
                c = getc(file);
            }
        } else {
            c = getc(file);
        }
    }
    if (c < '0' || c > '9') {
        return -1;
    }
    while (c >= '0' && c <= '9') {
        if (value > 100000) {
            return -1;
        }
        value = value * 10 + (c - '0');
        c = getc(file);
    }
    return value;
}

/* 1: pixels follow; 0: the file ends; -1: it is something else. */
static int netpbm_header(frames_t *f, char *why) {
    const frame_shape_t *s = &f->shape;
    const int wanted = s->channels == 3u ? '6' : '5';
    int kind;
    int letter = getc(f->file);
    long width;
    long height;
    long depth;

    while (letter == ' ' || letter == '\r' || letter == '\n') {
        letter = getc(f->file);
    }
    if (letter == EOF) {
        return is_at_its_end(f, why) - 1;
    }
    kind = getc(f->file);
    width = header_number(f->file);
    height = header_number(f->file);
    depth = header_number(f->file);
    if (letter != 'P' || kind != wanted || depth != 255 || width != (long)s->width ||
        height != (long)s->height) {
        snprintf(why, DIMMER_MESSAGE,
                 "%s is no binary P%c of %u x %u pixels with 255 levels, which the model takes", f->name,
                 wanted, (unsigned)s->width, (unsigned)s->height);
        return -1;
    }
    return 1;
}

int frames_next(frames_t *f, int8_t *codes, char *why) {
    const size_t size = frame_size(&f->shape);
    size_t got;
    size_t i;

    if (f->left == 0u) {
        return 0;
    }
    if (f->is_netpbm) {
        const int found = netpbm_header(f, why);

        if (found != 1) {
            return found;
        }
    }
    if (f->packed != NULL) {
        if (!next_packed(f, codes)) {
            return is_at_its_end(f, why) - 1;
        }
        got = size;
    } else {
        got = fread(codes, 1u, size, f->file);
    }
    if (got != size) {
        if (!is_at_its_end(f, why)) {
            return -1;
        }
        if (got == 0u && !f->is_netpbm && f->left == UINT64_MAX) {
            return 0;
        }
        snprintf(why, DIMMER_MESSAGE, "%s ends within a frame, which has %lu bytes: copy it again", f->name,
                 (unsigned long)size);
        return -1;
    }
    if (f->is_unsigned) {
        for (i = 0u; i < size; ++i) {
            codes[i] = (int8_t)((uint8_t)codes[i] ^ 0x80u);
        }
    }
    if (f->left != UINT64_MAX) {
        --f->left;
    }
    return 1;
}

void frames_close(frames_t *f) {
    if (f->file != NULL && f->file != stdin) {
        fclose(f->file);
    }
    f->file = NULL;
    free(f->packed);
    f->packed = NULL;
}
