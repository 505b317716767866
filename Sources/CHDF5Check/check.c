#define _GNU_SOURCE
#include "CHDF5Check.h"

#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    DEPTH = 8,                  // groups within groups; a file may link them in circles
    READ_WHOLE = 8 << 20,       // datasets up to this many bytes are read whole, of others the first and last row
    MEMORY = 40 << 20,          // beside twice the file
    NEARLY = 1 << 20,
    SECONDS = 10,               // of computing, and one more for each so many bytes:
    BYTES_A_SECOND = 20 << 20,
    PERTURBATION = 0x5a,        // fresh memory holds this in the child, so that what was never set breaks for certain
};

// -- In the child: read everything, care about nothing ----------------------------------------------------------------

static void read_text(hid_t object, hid_t type, herr_t (*read)(hid_t, hid_t, void *)) {
    if (H5Tis_variable_str(type) > 0) {
        char *text = NULL;
        if (read(object, type, &text) >= 0 && text) {
            (void)strlen(text);
            H5free_memory(text);
        }
        return;
    }
    const size_t size = H5Tget_size(type);
    char *text = size <= READ_WHOLE ? malloc(size) : NULL;
    if (text) read(object, type, text);
    free(text);
}

static herr_t read_attribute(hid_t attribute, hid_t type, void *into) { return H5Aread(attribute, type, into); }

static herr_t read_scalar(hid_t dataset, hid_t type, void *into) {
    return H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, into);
}

static herr_t check_attribute(hid_t object, const char *name, const H5A_info_t *info, void *context) {
    (void)info, (void)context;
    const hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    if (attribute < 0) return 0;
    const hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
    const H5T_class_t kind = H5Tget_class(type);
    double number;
    if (H5Sget_simple_extent_npoints(space) == 1) {
        if (kind == H5T_STRING) read_text(attribute, type, read_attribute);
        else if (kind == H5T_INTEGER || kind == H5T_FLOAT) H5Aread(attribute, H5T_NATIVE_DOUBLE, &number);
    }
    H5Sclose(space), H5Tclose(type), H5Aclose(attribute);
    return 0;
}

// Reads rows [first, first + rows) of a dataset of numbers as they are stored.
static void read_rows(hid_t dataset, hid_t type, hid_t space, const hsize_t *extent, int rank, hsize_t first, hsize_t rows) {
    hsize_t start[H5S_MAX_RANK] = {first}, count[H5S_MAX_RANK] = {rows}, elements = rows;
    for (int axis = 1; axis < rank; axis++) {
        count[axis] = extent[axis];
        if (extent[axis] == 0 || elements > READ_WHOLE / extent[axis]) return;
        elements *= extent[axis];
    }
    const size_t size = H5Tget_size(type);
    if (elements == 0 || size == 0 || size > READ_WHOLE / elements) return;
    const hid_t memory = H5Screate_simple(rank, count, NULL);
    void *values = malloc(elements * size);
    if (values && H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0)
        H5Dread(dataset, type, memory, space, H5P_DEFAULT, values);
    free(values);
    H5Sclose(memory);
}

static void check_dataset(hid_t dataset) {
    if (!tortoise_h5_is_whole(dataset)) return;  // which the parent will say when it is to be read
    const hid_t type = H5Dget_type(dataset), space = H5Dget_space(dataset), properties = H5Dget_create_plist(dataset);
    const H5T_class_t kind = H5Tget_class(type);
    const int rank = H5Sget_simple_extent_ndims(space);
    hsize_t extent[H5S_MAX_RANK] = {0}, chunks = 0;
    if (H5Pget_layout(properties) == H5D_CHUNKED) {
        H5Dget_num_chunks(dataset, H5S_ALL, &chunks);
        H5Dget_storage_size(dataset);
    }
    if (rank >= 0 && kind == H5T_STRING && H5Sget_simple_extent_npoints(space) == 1) read_text(dataset, type, read_scalar);
    if (rank > 0 && rank <= H5S_MAX_RANK && (kind == H5T_INTEGER || kind == H5T_FLOAT) &&
        H5Sget_simple_extent_dims(space, extent, NULL) >= 0 && extent[0] > 0) {
        read_rows(dataset, type, space, extent, rank, 0, extent[0]);
        read_rows(dataset, type, space, extent, rank, 0, 1);
        read_rows(dataset, type, space, extent, rank, extent[0] - 1, 1);
    }
    H5Pclose(properties), H5Sclose(space), H5Tclose(type);
}

static void check_object(hid_t parent, const char *name, int depth);

static herr_t check_link(hid_t group, const char *name, const H5L_info_t *info, void *context) {
    (void)info;
    check_object(group, name, *(int *)context);
    return 0;
}

static void check_object(hid_t parent, const char *name, int depth) {
    if (depth > DEPTH) return;
    const hid_t object = H5Oopen(parent, name, H5P_DEFAULT);
    if (object < 0) return;
    int below = depth + 1;
    H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, check_attribute, NULL);
    switch (H5Iget_type(object)) {
        case H5I_GROUP: H5Literate(object, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, check_link, &below); break;
        case H5I_DATASET: check_dataset(object); break;
        default: break;
    }
    H5Oclose(object);
}

// A line of /proc/self/status in bytes, such as "VmSize:"; 0 where the system does not tell.
static rlim_t status_bytes(const char *name) {
    char text[4096];
    const int file = open("/proc/self/status", O_RDONLY);
    const ssize_t count = file >= 0 ? read(file, text, sizeof text - 1) : 0;
    if (file >= 0) close(file);
    text[count > 0 ? count : 0] = 0;
    const char *line = strstr(text, name);
    return line ? (rlim_t)strtoull(line + strlen(name), NULL, 10) << 10 : 0;
}

// A sound file never makes the library ask for more than it gets.
static herr_t is_memory_short(unsigned number, const H5E_error2_t *error, void *context) {
    (void)number, (void)context;
    if (error->min_num == H5E_NOSPACE || error->min_num == H5E_CANTALLOC) _exit(TORTOISE_H5_GREEDY);
    return 0;
}

static herr_t each_error(hid_t stack, void *context) { return H5Ewalk2(stack, H5E_WALK_UPWARD, is_memory_short, context); }

// Makes all memory that is allocated from here on the same garbage: blocks that the library and the allocator's quick lists keep
// would come back with what they held.
static void perturb_memory(void) {
    H5garbage_collect();
    for (size_t size = 8; size <= 1032; size += 16)
        for (int count = 0; count < 8; count++) {
            void *volatile kept = malloc(size);
            (void)kept;
        }
    mallopt(M_PERTURB, PERTURBATION);
}

static _Noreturn void child(const char *path, unsigned flags, hid_t access, int64_t size) {
    for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    const rlim_t seconds = (rlim_t)(SECONDS + size / BYTES_A_SECOND);
    setrlimit(RLIMIT_CPU, &(struct rlimit){seconds, seconds + 5});
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    const rlim_t memory = status_bytes("VmSize:"), most = memory + MEMORY + 2 * (rlim_t)size;
    if (memory > 0) setrlimit(RLIMIT_AS, &(struct rlimit){most, most});
    alarm((unsigned)(10 * seconds));
    // The allocator's last words go nowhere; a descriptor that is merely closed would be the file's.
    const int nowhere = open("/dev/null", O_WRONLY);
    if (nowhere >= 0) dup2(nowhere, STDERR_FILENO);
    perturb_memory();
    H5Eset_auto2(H5E_DEFAULT, each_error, NULL);
    const hid_t file = H5Fopen(path, flags, access);
    if (file >= 0) {
        check_object(file, "/", 0);
        H5Fclose(file);
    }
    // Without memory the library cannot even note that there was none: what came up to the limit says it.
    _exit(memory > 0 && status_bytes("VmPeak:") + NEARLY > most ? TORTOISE_H5_GREEDY : TORTOISE_H5_READABLE);
}

// -- In the parent ----------------------------------------------------------------------------------------------------

int tortoise_h5_check(const char *path, unsigned flags, int64_t access) {
    struct stat status;
    if (stat(path, &status) != 0) return TORTOISE_H5_READABLE;  // opening it will say so
    // A signal that is meant for the parent must not run the parent's handler in the child.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const pid_t process = fork();
    if (process == 0) child(path, flags, (hid_t)access, (int64_t)status.st_size);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (process < 0) return TORTOISE_H5_UNCHECKED;
    int how = 0;
    while (waitpid(process, &how, 0) < 0)
        if (errno != EINTR) return TORTOISE_H5_UNCHECKED;
    if (WIFEXITED(how)) return WEXITSTATUS(how);
    switch (WTERMSIG(how)) {
        case SIGXCPU: case SIGALRM: return TORTOISE_H5_HANGS;
        case SIGINT: case SIGTERM: case SIGHUP: case SIGKILL: return TORTOISE_H5_UNCHECKED;
        default: return TORTOISE_H5_CRASHES;
    }
}
