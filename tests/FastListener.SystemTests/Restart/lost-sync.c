/* Stands in for the C library in a copy of the program that is to forget its syncs: LOST_SYNC=file or LOST_SYNC=directory names what
   is reported as synced and is not. Everything else goes to the real library. Only for showing that the power-cut test can fail. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int forgotten(int descriptor)
{
    const char *what = getenv("LOST_SYNC");
    struct stat status;
    if (what == NULL || fstat(descriptor, &status) != 0)
        return 0;
    return strcmp(what, "directory") == 0 ? S_ISDIR(status.st_mode) : S_ISREG(status.st_mode);
}

int fsync(int descriptor)
{
    return forgotten(descriptor) ? 0 : (int)syscall(SYS_fsync, descriptor);
}

int fdatasync(int descriptor)
{
    return forgotten(descriptor) ? 0 : (int)syscall(SYS_fdatasync, descriptor);
}
