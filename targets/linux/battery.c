/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "battery.h"

#define LINE 128u
#define PATH 1024u
/* A thousand times as much is still a number; no gauge tells so much. */
#define MOST 1000000000000000ll

/* The first line of folder/name without its end; 0 where there is no such file. */
static int read_line(const char *folder, const char *name, char line[LINE]) {
    char path[PATH];
    FILE *file;
    int got;

    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path) {
        return 0;
    }
    file = fopen(path, "r");
    if (file == NULL) {
        return 0;
    }
    got = fgets(line, (int)LINE, file) != NULL;
    fclose(file);
    if (got) {
        line[strcspn(line, "\r\n")] = '\0';
    }
    return got;
}

static int read_number(const char *folder, const char *name, long long *value) {
    char line[LINE];
    char *end;

    if (!read_line(folder, name, line)) {
        return 0;
    }
    /* What is out of range comes out as the nearest number that is not. */
    *value = strtoll(line, &end, 10);
    *value = *value > MOST ? MOST : *value < -MOST ? -MOST : *value;
    return end != line && *end == '\0';
}

static uint32_t clamp(long long value, long long high) {
    return (uint32_t)(value < 0 ? 0 : value > high ? high : value);
}

/* now/full in permille, rounded down: the policy never takes a battery for fuller than it is. */
static int share(const char *folder, const char *now_name, const char *full_name, long long *permille) {
    long long now;
    long long full;

    if (!read_number(folder, now_name, &now) || !read_number(folder, full_name, &full) || full <= 0) {
        return 0;
    }
    *permille = now * 1000 / full;
    return 1;
}

/* Whether something else than the battery carries the device, and the battery takes nothing of it: it is
 * full, or its charger waits. */
static int is_carried(const char *status) {
    return strcmp(status, "Full") == 0 || strcmp(status, "Not charging") == 0;
}

static int read_supply(const char *folder, dimmer_battery_t *now, char *why) {
    char status[LINE];
    long long permille;
    long long microvolts;
    long long microamps;

    if (!share(folder, "charge_now", "charge_full", &permille) &&
        !share(folder, "energy_now", "energy_full", &permille)) {
        if (!read_number(folder, "capacity", &permille)) {
            snprintf(
                why, DIMMER_MESSAGE,
                "%s tells no charge (charge_now, energy_now or capacity): name another with --battery-path",
                folder);
            return 0;
        }
        permille *= 10;
    }
    /* Where the driver tells no voltage, only the charge decides. */
    now->millivolts = UINT16_MAX;
    if (read_number(folder, "voltage_now", &microvolts)) {
        now->millivolts = (uint16_t)clamp(microvolts / 1000, UINT16_MAX);
    }
    now->charge_permille = (uint16_t)clamp(permille, 1000);
    now->harvest_ua = 0u;
    now->flags = 0u;
    if (read_line(folder, "status", status)) {
        const int charging = strcmp(status, "Charging") == 0;

        if (charging || is_carried(status)) {
            now->flags = DIMMER_EXTERNAL_POWER;
        }
        if (charging && read_number(folder, "current_now", &microamps)) {
            now->harvest_ua = clamp(microamps, UINT32_MAX);
        }
    }
    return 1;
}

static int read_ina3221(const battery_source_t *source, dimmer_battery_t *now, char *why) {
    const unsigned channel = source->channel == 0u ? 1u : source->channel;
    char name[LINE];
    long long millivolts;

    snprintf(name, sizeof name, "in%u_input", channel);
    if (!read_number(source->path, name, &millivolts)) {
        snprintf(why, DIMMER_MESSAGE,
                 "%s has no readable %s: name a channel that is wired with --battery-channel", source->path,
                 name);
        return 0;
    }
    if (source->full_mv <= source->empty_mv) {
        snprintf(
            why, DIMMER_MESSAGE,
            "%s measures volts, not charge: give --battery-empty-mv and --battery-full-mv, the greater last",
            source->path);
        return 0;
    }
    now->millivolts = (uint16_t)clamp(millivolts, UINT16_MAX);
    now->charge_permille =
        (uint16_t)clamp((millivolts - source->empty_mv) * 1000 / (source->full_mv - source->empty_mv), 1000);
    now->harvest_ua = 0u;
    return 1;
}

/* Batteries of mice and the like have the scope Device. */
static int is_system_battery(const char *folder) {
    char line[LINE];

    if (!read_line(folder, "type", line) || strcmp(line, "Battery") != 0) {
        return 0;
    }
    return !read_line(folder, "scope", line) || strcmp(line, "Device") != 0;
}

/* The first battery by name in a folder of supplies: the order of readdir is no order. */
static int find_battery(const char *supplies, char found[PATH]) {
    DIR *folder = opendir(supplies);
    struct dirent *entry;

    found[0] = '\0';
    if (folder == NULL) {
        return 0;
    }
    while ((entry = readdir(folder)) != NULL) {
        char path[PATH];

        if (entry->d_name[0] == '.' ||
            snprintf(path, sizeof path, "%s/%s", supplies, entry->d_name) >= (int)sizeof path) {
            continue;
        }
        if (is_system_battery(path) && (found[0] == '\0' || strcmp(path, found) < 0)) {
            memcpy(found, path, sizeof path);
        }
    }
    closedir(folder);
    return found[0] != '\0';
}

int battery_read(const battery_source_t *source, dimmer_battery_t *now, char *why) {
    char line[LINE];
    char found[PATH];

    if (read_line(source->path, "name", line) && strcmp(line, "ina3221") == 0) {
        return read_ina3221(source, now, why);
    }
    if (read_line(source->path, "type", line)) {
        return read_supply(source->path, now, why);
    }
    if (find_battery(source->path, found)) {
        return read_supply(found, now, why);
    }
    snprintf(why, DIMMER_MESSAGE,
             "no battery in %s: name its folder with --battery-path, or force a level with --battery PERCENT",
             source->path);
    return 0;
}
