/* The limit for small objects: no network, no HTTP, no index. THREADS threads each put 20 KiB into one append-only file and go on when it is
 * durable. Whoever finds no write under way writes for all that wait: one O_DIRECT pwrite and one fdatasync for each batch.
 * An object is its thread's noise with the object's number in every sector; the second word is the thread. --verify compares all of it.
 * usage: log DIR THREADS SECONDS      then: log --verify DIR OBJECTS */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { OBJECT = 20480, SECTOR = 512, MOST = 64 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t progress = PTHREAD_COND_INITIALIZER;
static char *filling, *writing;
static int fd, filled, busy, stop;
static uint64_t appended, durable;
static off_t end;

static void die(const char *what) { perror(what); exit(1); }

static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return (double)t.tv_sec + (double)t.tv_nsec / 1e9; }

static void fill(char *to, uint64_t thread) {
    uint64_t x = thread * 0x9E3779B97F4A7C15ULL + 1;
    for (int i = 0; i < OBJECT; i += 8) { x ^= x << 13; x ^= x >> 7; x ^= x << 17; memcpy(to + i, &x, 8); }
    memcpy(to + 8, &thread, 8);
}

static void number(char *object, uint64_t mine) {
    for (int i = 0; i < OBJECT; i += SECTOR) memcpy(object + i, &mine, 8);
}

static void *producer(void *object) {
    pthread_mutex_lock(&lock);
    while (!stop) {
        while (filled == MOST && !stop) pthread_cond_wait(&progress, &lock);
        if (stop) break;
        uint64_t mine = ++appended;
        number(object, mine);
        memcpy(filling + (size_t)filled++ * OBJECT, object, OBJECT);
        while (durable < mine) {
            if (busy) { pthread_cond_wait(&progress, &lock); continue; }
            busy = 1;
            char *batch = filling; filling = writing; writing = batch;
            int count = filled; filled = 0;
            uint64_t last = appended;
            off_t at = end; end += (off_t)count * OBJECT;
            pthread_mutex_unlock(&lock);
            if (pwrite(fd, batch, (size_t)count * OBJECT, at) != (ssize_t)count * OBJECT) die("pwrite");
            if (fdatasync(fd)) die("fdatasync");
            pthread_mutex_lock(&lock);
            busy = 0; durable = last;
            pthread_cond_broadcast(&progress);
        }
    }
    pthread_mutex_unlock(&lock);
    return NULL;
}

static int verify(const char *path, uint64_t objects) {
    FILE *file = fopen(path, "rb");
    char *object = malloc(OBJECT), *expected = malloc((size_t)MOST * OBJECT);
    if (!file || !object || !expected) die(path);
    for (uint64_t thread = 0; thread < MOST; thread++) fill(expected + thread * OBJECT, thread);
    for (uint64_t mine = 1; mine <= objects; mine++) {
        uint64_t thread;
        if (fread(object, OBJECT, 1, file) != 1) { fprintf(stderr, "object %llu is missing\n", (unsigned long long)mine); return 1; }
        memcpy(&thread, object + 8, 8);
        if (thread < MOST) number(expected + thread * OBJECT, mine);
        if (thread >= MOST || memcmp(object, expected + thread * OBJECT, OBJECT)) {
            fprintf(stderr, "object %llu is damaged\n", (unsigned long long)mine);
            return 1;
        }
    }
    return 0;
}

int main(int count, char **words) {
    char path[512];
    if (count == 4 && strcmp(words[1], "--verify") == 0) {
        snprintf(path, sizeof path, "%s/objects.log", words[2]);
        return verify(path, strtoull(words[3], NULL, 10));
    }
    if (count != 4) { fprintf(stderr, "usage: log DIR THREADS SECONDS\n"); return 2; }
    snprintf(path, sizeof path, "%s/objects.log", words[1]);
    int threads = atoi(words[2]), direct = 1;
    if (threads < 1 || threads > MOST) { fprintf(stderr, "THREADS: 1 to %d\n", MOST); return 2; }
    fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_DIRECT | O_CLOEXEC, 0644);
    if (fd < 0) { direct = 0; unlink(path); fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644); }
    if (fd < 0) die(path);
    filling = aligned_alloc(4096, (size_t)MOST * OBJECT); writing = aligned_alloc(4096, (size_t)MOST * OBJECT);
    pthread_t *all = calloc((size_t)threads, sizeof *all);
    if (!filling || !writing || !all) die("memory");
    double start = now();
    for (int i = 0; i < threads; i++) {
        char *object = malloc(OBJECT);
        if (!object) die("memory");
        fill(object, (uint64_t)i);
        if (pthread_create(&all[i], NULL, producer, object)) die("thread");
    }
    struct timespec length = { (time_t)atof(words[3]), (long)((atof(words[3]) - (double)(time_t)atof(words[3])) * 1e9) };
    nanosleep(&length, NULL);
    pthread_mutex_lock(&lock);
    stop = 1; uint64_t objects = durable; double seconds = now() - start;
    pthread_cond_broadcast(&progress);
    pthread_mutex_unlock(&lock);
    for (int i = 0; i < threads; i++) pthread_join(all[i], NULL);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    double cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    printf("{\"objects\":%llu,\"seconds\":%.6f,\"cpuSeconds\":%.6f,\"direct\":%s}\n", (unsigned long long)objects, seconds, cpu, direct ? "true" : "false");
    return 0;
}
