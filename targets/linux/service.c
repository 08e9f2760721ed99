/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "service.h"

#ifndef DIMMER_JOURNAL_SOCKET
#define DIMMER_JOURNAL_SOCKET "/run/systemd/journal/socket"
#endif

typedef struct {
    int file; /* a datagram socket; 0: none */
    struct sockaddr_un address;
    socklen_t size;
} peer_t;

static peer_t manager;
static volatile sig_atomic_t is_waiting;

static int peer_open(peer_t *peer, const char *path) {
    const size_t length = strlen(path);

    if (length < 2u || length >= sizeof peer->address.sun_path) {
        return 0;
    }
    peer->address.sun_family = AF_UNIX;
    memcpy(peer->address.sun_path, path, length + 1u);
    /* An abstract name is written with an at sign, and ends where its size says. */
    if (path[0] == '@') {
        peer->address.sun_path[0] = '\0';
    }
    peer->size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (path[0] == '@' ? 0u : 1u));
    peer->file = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return peer->file > 0;
}

static int peer_send(const peer_t *peer, const char *text) {
    return peer->file > 0 && sendto(peer->file, text, strlen(text), MSG_NOSIGNAL,
                                    (const struct sockaddr *)&peer->address, peer->size) >= 0;
}

static void on_alarm(int number) {
    (void)number;
    if (is_waiting) {
        (void)peer_send(&manager, "WATCHDOG=1");
    }
}

static void give_signs(const char *limit_us) {
    const long long us = strtoll(limit_us, NULL, 10) / 2;
    struct sigaction action;
    struct itimerval timer;

    if (us <= 0 || us > 3600000000ll) {
        return;
    }
    memset(&action, 0, sizeof action);
    action.sa_handler = on_alarm;
    /* A read that waits for a frame goes on. */
    action.sa_flags = SA_RESTART;
    timer.it_interval.tv_sec = (time_t)(us / 1000000);
    timer.it_interval.tv_usec = (suseconds_t)(us % 1000000);
    timer.it_value = timer.it_interval;
    if (sigaction(SIGALRM, &action, NULL) == 0) {
        (void)setitimer(ITIMER_REAL, &timer, NULL);
    }
}

void service_ready(void) {
    const char *path = getenv("NOTIFY_SOCKET");
    const char *limit_us = getenv("WATCHDOG_USEC");

    if (path == NULL || !peer_open(&manager, path)) {
        return;
    }
    (void)peer_send(&manager, "READY=1");
    if (limit_us != NULL) {
        give_signs(limit_us);
    }
}

void service_waits(int waiting) {
    is_waiting = waiting;
    if (waiting) {
        (void)peer_send(&manager, "WATCHDOG=1");
    }
}

/* systemd says which stream is the journal's: its device and inode. */
static int is_journal(void) {
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device;
    unsigned long long inode;
    struct stat found;

    return stream != NULL && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
           fstat(STDOUT_FILENO, &found) == 0 && found.st_dev == device && found.st_ino == inode;
}

int service_journal(const char *entry) {
    static peer_t journal;
    static int tried;

    if (!tried) {
        tried = 1;
        if (is_journal()) {
            (void)peer_open(&journal, DIMMER_JOURNAL_SOCKET);
        }
    }
    return peer_send(&journal, entry);
}
