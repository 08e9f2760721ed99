/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tvm_files.h"

#define VERSION_FILE "lib/VERSION"

int tvm_path(char joined[TVM_PATH], const char *folder, const char *path, char *why) {
    if (snprintf(joined, TVM_PATH, "%s/%s", folder, path) >= (int)TVM_PATH) {
        snprintf(why, DIMMER_MESSAGE, "the path of %s is too long: install the bundle nearer to the root",
                 path);
        return 0;
    }
    return 1;
}

static FILE *open_file(const char *folder, const char *path, char *why) {
    char joined[TVM_PATH];
    FILE *file;

    if (!tvm_path(joined, folder, path, why)) {
        return NULL;
    }
    file = fopen(joined, "rb");
    if (file == NULL) {
        snprintf(why, DIMMER_MESSAGE, "%s is missing in %.300s: install the bundle again", path, folder);
    }
    return file;
}

/* The program may be run with the libraries of another bundle, which TVM would take or crash on. */
static int check_version(const dimmer_tvm_bundle_t *bundle, const char *folder, char *why) {
    char found[64] = "";
    FILE *file = open_file(folder, VERSION_FILE, why);

    if (file == NULL) {
        return 0;
    }
    if (fgets(found, sizeof found, file) == NULL) {
        found[0] = '\0';
    }
    fclose(file);
    found[strcspn(found, "\r\n")] = '\0';
    if (strcmp(found, bundle->tvm_version) != 0) {
        snprintf(why, DIMMER_MESSAGE,
                 "the TVM runtime in %.200s is %s, the modes were compiled by TVM %s: install the whole "
                 "bundle again",
                 folder, found[0] == '\0' ? "of no known version" : found, bundle->tvm_version);
        return 0;
    }
    return 1;
}

static const char *machine_name(unsigned machine) {
    switch (machine) {
    case 62u:
        return "x86-64";
    case 183u:
        return "AArch64";
    default:
        return "another architecture";
    }
}

static int check_machine(const dimmer_tvm_bundle_t *bundle, const char *folder, char *why) {
    unsigned char head[20];
    unsigned machine;
    FILE *file = open_file(folder, bundle->library, why);
    size_t got;

    if (file == NULL) {
        return 0;
    }
    got = fread(head, 1u, sizeof head, file);
    fclose(file);
    if (got != sizeof head || memcmp(head, "\177ELF", 4u) != 0) {
        snprintf(why, DIMMER_MESSAGE, "%s is no library, or was cut short: install the bundle again",
                 bundle->library);
        return 0;
    }
    machine = head[18] | (unsigned)head[19] << 8;
    if (machine != bundle->machine) {
        snprintf(why, DIMMER_MESSAGE,
                 "%s is for %s, this program for %s: install the bundle for this machine", bundle->library,
                 machine_name(machine), machine_name(bundle->machine));
        return 0;
    }
    return 1;
}

static int check_file(const dimmer_tvm_file_t *expected, const char *folder, char *why) {
    unsigned char part[16384];
    uint64_t size = 0u;
    uint32_t crc = 0u;
    size_t got;
    FILE *file = open_file(folder, expected->path, why);

    if (file == NULL) {
        return 0;
    }
    while ((got = fread(part, 1u, sizeof part, file)) != 0u) {
        crc = dimmer_crc32(crc, part, got);
        size += got;
    }
    fclose(file);
    if (size != expected->size) {
        snprintf(why, DIMMER_MESSAGE, "%s has %llu of its %llu bytes: copy the bundle again", expected->path,
                 (unsigned long long)size, (unsigned long long)expected->size);
        return 0;
    }
    if (crc != expected->crc) {
        snprintf(why, DIMMER_MESSAGE, "%s is damaged (CRC): copy the bundle again", expected->path);
        return 0;
    }
    return 1;
}

int tvm_files_check(const dimmer_tvm_bundle_t *bundle, const char *folder, char *why) {
    uint16_t i;

    if (!check_version(bundle, folder, why) || !check_machine(bundle, folder, why)) {
        return 0;
    }
    for (i = 0; i < bundle->file_count; ++i) {
        if (!check_file(&bundle->files[i], folder, why)) {
            return 0;
        }
    }
    return 1;
}

void *tvm_file_read(const char *folder, const char *path, size_t size, char *why) {
    FILE *file = open_file(folder, path, why);
    void *content = NULL;
    size_t got;

    if (file == NULL) {
        return NULL;
    }
    if (posix_memalign(&content, 64u, size == 0u ? 64u : size) != 0) {
        fclose(file);
        snprintf(why, DIMMER_MESSAGE, "no memory for the %lu bytes of %s", (unsigned long)size, path);
        return NULL;
    }
    got = fread(content, 1u, size, file);
    if (got != size || getc(file) != EOF) {
        snprintf(why, DIMMER_MESSAGE, "%s has not the %lu bytes that it should: copy the bundle again", path,
                 (unsigned long)size);
        free(content);
        content = NULL;
    }
    fclose(file);
    return content;
}
