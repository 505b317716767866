#define _GNU_SOURCE
#include "CHDF5Reader.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    MEMORY = 48 << 20,  // beside twice the file
    SECONDS = 4,        // of computing, and one more for each so many bytes, of which 40 MB take one on a fast machine:
    BYTES_A_SECOND = 5 << 20,
};

// The address space of this process; 0 where the system does not tell.
static rlim_t address_space(void) {
    char text[64];
    const int file = open("/proc/self/statm", O_RDONLY);
    const ssize_t count = file >= 0 ? read(file, text, sizeof text - 1) : 0;
    if (file >= 0) close(file);
    text[count > 0 ? count : 0] = 0;
    return (rlim_t)strtoull(text, NULL, 10) * (rlim_t)sysconf(_SC_PAGESIZE);
}

static void limit_resources(off_t size) {
    const rlim_t seconds = (rlim_t)(SECONDS + size / BYTES_A_SECOND);
    setrlimit(RLIMIT_CPU, &(struct rlimit){seconds, seconds + 5});
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    const rlim_t memory = address_space(), most = memory + MEMORY + 2 * (rlim_t)size;
    if (memory > 0) setrlimit(RLIMIT_AS, &(struct rlimit){most, most});
}

// The parent's handlers of signals are not for the child.
static void reset_signals(void) {
    for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

// Keeps only the pipe: locks and sockets of the parent would live on in the child. Returns the pipe's new number.
static int leave_descriptors(int pipe) {
    const int kept = STDERR_FILENO + 1;
    if (dup2(pipe, kept) < 0) _exit(1);
    // The allocator's last words go nowhere; a descriptor that is merely closed would be the file's.
    const int nowhere = open("/dev/null", O_RDWR);
    if (nowhere < 0) _exit(1);
    for (int descriptor = 0; descriptor < kept; descriptor++) dup2(nowhere, descriptor);
    close_range(kept + 1, ~0U, 0);
    return kept;
}

int tortoise_h5_start(const char *path, unsigned flags, int64_t access, pid_t *process) {
    struct stat status;
    int ends[2];
    if (stat(path, &status) != 0 || pipe2(ends, O_CLOEXEC) != 0) return -1;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    *process = fork();
    if (*process == 0) {
        // Without the one who wanted to hear it, it has nothing to do.
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        reset_signals();
        limit_resources(status.st_size);
        tortoise_h5_write_contents(path, flags, access, leave_descriptors(ends[1]));
    }
    const int error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(ends[1]);
    if (*process > 0) return ends[0];
    close(ends[0]);
    errno = error;
    return -1;
}

int tortoise_h5_end(pid_t process, int is_enough) {
    if (is_enough) kill(process, SIGKILL);
    int how = 0;
    while (waitpid(process, &how, 0) < 0)
        if (errno != EINTR) return TORTOISE_H5_KILLED;
    if (WIFEXITED(how)) return TORTOISE_H5_LEFT;
    switch (WTERMSIG(how)) {
        case SIGXCPU: return TORTOISE_H5_HUNG;
        case SIGINT: case SIGTERM: case SIGHUP: case SIGKILL: case SIGPIPE: return TORTOISE_H5_KILLED;
        default: return TORTOISE_H5_CRASHED;
    }
}
