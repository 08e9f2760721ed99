/* SPDX-License-Identifier: Apache-2.0 */
/* A plugin of QEMU (TCG plugins, API version 1 or 2): how often each block of a firmware ran, and where it
 * went on.
 *
 * Counted are stretches: one begins when the function at `mark` is entered, and ends when it is entered
 * again. That is platform_ticks, so that a stretch is what the firmware itself counts the instructions of.
 * What is written for each stretch, addresses in hexadecimal:
 *
 *   S
 *   B FIRST LAST END INSTRUCTIONS RUNS MISSES    a block: addresses of its first and last instruction, and
 * behind it E TO RUNS                                    how often the block above went on at another block
 *
 * With `lines`, an instruction cache of so many lines of `line` bytes, fully associative, the least recently
 * used line replaced, stands before the flash at `flash`, of `size` bytes; MISSES are those of the block.
 *
 * QEMU's header of plugins is not packaged everywhere: these are the parts of its interface that are used. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef PLUGIN_API
#define PLUGIN_API 1
#endif
#define EXPORT __attribute__((visibility("default")))

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef struct {
    const char *target_name;
    struct {
        int min;
        int cur;
    } version;
    bool system_emulation;
    int smp_vcpus;
    int max_vcpus;
} qemu_info_t;

EXPORT extern int qemu_plugin_version;
EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
                                           void (*call)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, void (*call)(unsigned vcpu, void *user),
                                          int flags, void *user);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, void (*call)(qemu_plugin_id_t id, void *user),
                                    void *user);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);

int qemu_plugin_version = PLUGIN_API;

typedef struct edge {
    struct edge *next;
    uint64_t runs;
    uint32_t to;
} edge_t;

typedef struct block {
    struct block *next;
    edge_t *edges; /* the one that was taken last comes first */
    uint64_t runs;
    uint64_t misses;
    uint32_t first;
    uint32_t last;
    uint32_t end;
    uint32_t instructions;
} block_t;

typedef struct {
    uint64_t used;
    uint32_t line;
} slot_t;

typedef struct {
    uint32_t flash; /* first address */
    uint32_t size;
    uint32_t line;  /* bytes */
    uint32_t lines; /* 0: there is none */
    slot_t *slots;
    uint16_t *slot_of; /* line of the flash -> its slot + 1, or 0 */
    uint64_t now;
} cache_t;

static block_t *blocks;
static block_t *before; /* the block that ran last within the stretch */
static cache_t cache;
static uint32_t mark;
static bool counting;
static FILE *out;

static void *allocate(size_t count, size_t size) {
    void *made = calloc(count, size);

    if (made == NULL) {
        fputs("count_blocks: out of memory\n", stderr);
        exit(1);
    }
    return made;
}

static uint64_t fetch(uint32_t first, uint32_t end) {
    uint64_t misses = 0;
    uint32_t line;

    if (cache.lines == 0u || first < cache.flash || end > cache.flash + cache.size) {
        return 0;
    }
    for (line = (first - cache.flash) / cache.line; line <= (end - 1u - cache.flash) / cache.line; ++line) {
        uint32_t oldest = 0;
        uint32_t slot;

        ++cache.now;
        if (cache.slot_of[line] != 0u) {
            cache.slots[cache.slot_of[line] - 1u].used = cache.now;
            continue;
        }
        for (slot = 1; slot < cache.lines; ++slot) {
            oldest = cache.slots[slot].used < cache.slots[oldest].used ? slot : oldest;
        }
        if (cache.slots[oldest].used != 0u) {
            cache.slot_of[cache.slots[oldest].line] = 0;
        }
        cache.slots[oldest].used = cache.now;
        cache.slots[oldest].line = line;
        cache.slot_of[line] = (uint16_t)(oldest + 1u);
        ++misses;
    }
    return misses;
}

static void went(block_t *from, uint32_t to) {
    edge_t **place = &from->edges;
    edge_t *edge;

    while (*place != NULL && (*place)->to != to) {
        place = &(*place)->next;
    }
    edge = *place;
    if (edge == NULL) {
        edge = (edge_t *)allocate(1, sizeof *edge);
        edge->to = to;
    } else {
        *place = edge->next;
    }
    edge->next = from->edges;
    from->edges = edge;
    ++edge->runs;
}

static void write_stretch(void) {
    block_t *block;
    edge_t *edge;

    fputs("S\n", out);
    for (block = blocks; block != NULL; block = block->next) {
        if (block->runs == 0u) {
            continue;
        }
        fprintf(out, "B %x %x %x %u %llu %llu\n", (unsigned)block->first, (unsigned)block->last,
                (unsigned)block->end, (unsigned)block->instructions, (unsigned long long)block->runs,
                (unsigned long long)block->misses);
        for (edge = block->edges; edge != NULL; edge = edge->next) {
            if (edge->runs != 0u) {
                fprintf(out, "E %x %llu\n", (unsigned)edge->to, (unsigned long long)edge->runs);
            }
            edge->runs = 0;
        }
        block->runs = 0;
        block->misses = 0;
    }
}

static void ran(unsigned vcpu, void *user) {
    block_t *block = (block_t *)user;

    (void)vcpu;
    if (counting && before != NULL) {
        went(before, block->first);
    }
    before = NULL;
    if (block->first == mark) {
        if (counting) {
            write_stretch();
        }
        counting = !counting;
    }
    if (counting) {
        ++block->runs;
        block->misses += fetch(block->first, block->end);
        before = block;
    }
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb) {
    const size_t count = qemu_plugin_tb_n_insns(tb);
    const struct qemu_plugin_insn *last = qemu_plugin_tb_get_insn(tb, count - 1u);
    block_t *block = (block_t *)allocate(1, sizeof *block);

    (void)id;
    block->first = (uint32_t)qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(tb, 0));
    block->last = (uint32_t)qemu_plugin_insn_vaddr(last);
    block->end = block->last + (uint32_t)qemu_plugin_insn_size(last);
    block->instructions = (uint32_t)count;
    block->next = blocks;
    blocks = block;
    qemu_plugin_register_vcpu_tb_exec_cb(tb, ran, 0, block);
}

static void finished(qemu_plugin_id_t id, void *user) {
    (void)id;
    (void)user;
    if (fclose(out) != 0) {
        fputs("count_blocks: the counts cannot be written\n", stderr);
    }
}

static bool given(const char *argument, const char *name, uint32_t *value) {
    const size_t length = strlen(name);

    if (strncmp(argument, name, length) != 0 || argument[length] != '=') {
        return false;
    }
    *value = (uint32_t)strtoul(argument + length + 1, NULL, 0);
    return true;
}

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv) {
    int i;

    (void)info;
    for (i = 0; i < argc; ++i) {
        if (strncmp(argv[i], "out=", 4) == 0) {
            out = fopen(argv[i] + 4, "w");
        } else if (!given(argv[i], "mark", &mark) && !given(argv[i], "flash", &cache.flash) &&
                   !given(argv[i], "size", &cache.size) && !given(argv[i], "line", &cache.line) &&
                   !given(argv[i], "lines", &cache.lines)) {
            fprintf(stderr, "count_blocks: unknown argument %s\n", argv[i]);
            return 1;
        }
    }
    if (out == NULL || mark == 0u || (cache.lines != 0u && cache.line == 0u)) {
        fputs("count_blocks: give it out=FILE,mark=ADDRESS and, with lines=, line= and flash=,size=\n",
              stderr);
        return 1;
    }
    if (cache.lines != 0u) {
        cache.slots = (slot_t *)allocate(cache.lines, sizeof *cache.slots);
        cache.slot_of = (uint16_t *)allocate(cache.size / cache.line + 1u, sizeof *cache.slot_of);
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, finished, NULL);
    return 0;
}
