/* The limit for large uploads: a bare HTTP receiver, socket to file, nothing parsed but the length.
 * Promise: 200 after fdatasync of the file and fsync of its directory.
 * 1 MiB writes; every 8 MiB the kernel is told to start writing, and what was written before leaves the page cache.
 * usage: receiver PORT DIR */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER = 1 << 20, WINDOW = 8 << 20, HEAD = 16384 };

static const char *directory;
static int directory_fd;
static atomic_long counter;

static void die(const char *what) { perror(what); exit(1); }

static int write_all(int fd, const char *from, size_t length) {
    while (length > 0) {
        ssize_t n = write(fd, from, length);
        if (n < 0) { if (errno == EINTR) continue; return -1; }
        from += n; length -= (size_t)n;
    }
    return 0;
}

/* One upload. head holds `have` bytes, of which `end` are the request's head. */
static int receive(int client, char *head, size_t end, size_t have, char *buffer) {
    char name[512], sequence[32] = "none";
    long long length = -1;
    char *line = strstr(head, "seq=");
    if (line && line < head + end) sscanf(line + 4, "%16[0-9a-f]", sequence);
    for (line = strstr(head, "\r\n"); line && line < head + end; line = strstr(line + 2, "\r\n"))
        if (strncasecmp(line + 2, "content-length:", 15) == 0) { length = atoll(line + 17); break; }
    if (length < 0) return -1;

    snprintf(name, sizeof name, "%s/%s-%ld.body", directory, sequence, atomic_fetch_add(&counter, 1));
    int file = open(name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
    if (file < 0) return -1;

    size_t filled = have - end;
    memcpy(buffer, head + end, filled);
    long long taken = (long long)filled, written = 0, started = 0;
    while (taken < length || filled > 0) {
        while (taken < length && filled < BUFFER) {
            ssize_t n = recv(client, buffer + filled, BUFFER - filled, 0);
            if (n <= 0) { if (n < 0 && errno == EINTR) continue; close(file); unlink(name); return -1; }
            filled += (size_t)n; taken += n;
        }
        if (write_all(file, buffer, filled)) { close(file); return -1; }
        written += (long long)filled; filled = 0;
        if (written - started >= WINDOW) {
            sync_file_range(file, started, written - started, SYNC_FILE_RANGE_WRITE);
            if (started >= WINDOW) {
                sync_file_range(file, started - WINDOW, WINDOW, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
                posix_fadvise(file, started - WINDOW, WINDOW, POSIX_FADV_DONTNEED);
            }
            started = written;
        }
    }
    if (fdatasync(file) || close(file) || fsync(directory_fd)) return -1;
    return 0;
}

static void *serve(void *argument) {
    int client = (int)(long)argument;
    char *buffer = aligned_alloc(4096, BUFFER), *head = malloc(HEAD + 1);
    if (!buffer || !head) die("memory");
    for (;;) {
        size_t have = 0, end = 0;
        while (end == 0 && have < HEAD) {
            ssize_t n = recv(client, head + have, HEAD - have, 0);
            if (n <= 0) goto out;
            have += (size_t)n; head[have] = 0;
            char *blank = strstr(head, "\r\n\r\n");
            if (blank) end = (size_t)(blank - head) + 4;
        }
        if (end == 0 || receive(client, head, end, have, buffer)) break;
        static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n{\"response\":\"ok\"}";
        if (send(client, answer, sizeof answer - 1, MSG_NOSIGNAL) < 0) break;
    }
out:
    close(client); free(buffer); free(head);
    return NULL;
}

int main(int count, char **words) {
    if (count != 3) { fprintf(stderr, "usage: receiver PORT DIR\n"); return 2; }
    signal(SIGPIPE, SIG_IGN);
    directory = words[2];
    directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory_fd < 0) die(directory);
    int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(words[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1024)) die("listen");
    for (;;) {
        int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (client < 0) continue;
        setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        pthread_t thread;
        pthread_attr_t attributes;
        pthread_attr_init(&attributes);
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        if (pthread_create(&thread, &attributes, serve, (void *)(long)client)) close(client);
    }
}
