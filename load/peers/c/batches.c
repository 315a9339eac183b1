/* The limit of batches: 2 MiB at a time, laid out from memory, written past the page cache to the end of one file, then synced at the same time as
 * 32 KiB written to a log. No network, nothing parsed. First one batch after the other, as the committer does it; then each batch laid out and written
 * while the one before it is being synced. Six rounds of each in turn; the first does not count; prints MiB/s, the median with its range.
 * build: cc -O2 -pthread -o batches batches.c      usage: batches DIR */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 2 << 20, BATCHES = 256, LOG = 32 << 10, LOG_FILE = 8 << 20, ROUNDS = 6 };

static int pack, catalog_log;
static char *buffers[2], *records, rows[LOG];
static sem_t sync_wanted, synced, commit_wanted, committed;

static void check(int good, const char *what) { if (!good) { perror(what); exit(1); } }

static double seconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec * 1e-9;
}

static void commit_log(int batch) {
    check(pwrite(catalog_log, rows, LOG, (off_t)batch * LOG % LOG_FILE) == LOG, "write the log");
    check(fdatasync(catalog_log) == 0, "fdatasync");
}

/* One thread syncs the pack, the other commits the log: the same work in both cases, waited for at once or one batch later. */
static void *sync_pack(void *unused) {
    (void)unused;
    while (sem_wait(&sync_wanted) == 0) {
        check(fdatasync(pack) == 0, "fdatasync");
        sem_post(&synced);
    }

    return NULL;
}

static void *commit_logs(void *unused) {
    (void)unused;
    for (int batch = 0; sem_wait(&commit_wanted) == 0; batch++) {
        commit_log(batch);
        sem_post(&committed);
    }

    return NULL;
}

static void wait_committed(void) {
    sem_wait(&synced);
    sem_wait(&committed);
}

static double run(const char *path, int overlapped) {
    pack = open(path, O_RDWR | O_CREAT | O_EXCL | O_DIRECT, 0600);
    check(pack >= 0, path);
    double begin = seconds();
    for (int batch = 0; batch < BATCHES; batch++) {
        char *bytes = buffers[batch & 1];
        memcpy(bytes, records, BATCH);
        check(pwrite(pack, bytes, BATCH, (off_t)batch * BATCH) == BATCH, "write the pack");
        if (overlapped && batch > 0) {
            wait_committed();
        }

        sem_post(&sync_wanted);
        sem_post(&commit_wanted);
        if (!overlapped || batch == BATCHES - 1) {
            wait_committed();
        }
    }

    double rate = (BATCHES * (double)BATCH / (1 << 20)) / (seconds() - begin);
    close(pack);
    unlink(path);
    return rate;
}

static int ascending(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

int main(int count, char **words) {
    check(count == 2 && chdir(words[1]) == 0, "usage: batches DIR");
    check(posix_memalign((void **)&buffers[0], 4096, BATCH) == 0 && posix_memalign((void **)&buffers[1], 4096, BATCH) == 0, "memory");
    records = malloc(BATCH);
    memset(records, 7, BATCH);
    memset(rows, 3, LOG);
    catalog_log = open("batches.log", O_RDWR | O_CREAT | O_TRUNC, 0600);
    check(catalog_log >= 0, "batches.log");
    for (int at = 0; at < LOG_FILE / LOG; at++) {
        commit_log(at);
    }

    sem_init(&sync_wanted, 0, 0);
    sem_init(&synced, 0, 0);
    sem_init(&commit_wanted, 0, 0);
    sem_init(&committed, 0, 0);
    pthread_t thread;
    check(pthread_create(&thread, NULL, sync_pack, NULL) == 0 && pthread_create(&thread, NULL, commit_logs, NULL) == 0, "thread");

    double rates[2][ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        for (int overlapped = 0; overlapped < 2; overlapped++) {
            rates[overlapped][round] = run("batches.pack", overlapped);
        }
    }

    unlink("batches.log");
    for (int overlapped = 0; overlapped < 2; overlapped++) {
        qsort(rates[overlapped] + 1, ROUNDS - 1, sizeof(double), ascending);
        printf("%-22s %5.0f MiB/s [%.0f-%.0f]\n", overlapped ? "overlapped" : "one after the other", rates[overlapped][ROUNDS / 2], rates[overlapped][1],
            rates[overlapped][ROUNDS - 1]);
    }

    return 0;
}
