// SPDX-License-Identifier: Apache-2.0
/* cost OUT COMMAND...: runs a command with its standard output in file OUT and prints what it cost:
 *
 *     STATUS USER_US SYSTEM_US WALL_US PEAK_KIB
 *
 * STATUS is the exit status, or 128 + the signal. It is a program of its own because Linux counts
 * the memory of the process that forks into the peak of the one that is executed: from here that is
 * about a megabyte, from an interpreter a good deal more. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t timeval_us(struct timeval value)
{
    return value.tv_sec * 1000000 + value.tv_usec;
}

/* The child's half: does not return. */
static void execute(const char *out, char **command)
{
    int fd = open(out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0) {
        perror(out);
        _exit(126);
    }
    execvp(command[0], command);
    perror(command[0]);
    _exit(127);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fputs("usage: cost OUT COMMAND...\n", stderr);
        return 2;
    }
    int64_t start = now_us();
    pid_t child = fork();
    if (child < 0) {
        perror("fork");
        return 1;
    }
    if (child == 0) {
        execute(argv[1], argv + 2);
    }
    int status;
    struct rusage usage;
    if (wait4(child, &status, 0, &usage) < 0) {
        perror("wait4");
        return 1;
    }
    printf("%d %" PRId64 " %" PRId64 " %" PRId64 " %ld\n",
           WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status),
           timeval_us(usage.ru_utime), timeval_us(usage.ru_stime), now_us() - start,
           usage.ru_maxrss);
    return 0;
}
