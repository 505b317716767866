// Reads HDF5 files that the HDF5 library may not survive, in a process that need not.
#ifndef CHDF5_READER_H
#define CHDF5_READER_H

#include <stdint.h>
#include <sys/types.h>

enum {
    TORTOISE_H5_MOST_BYTES = 8 << 20,  // of one name, text or array; what is larger is a fault
};

// What a record says. Names are relative to the group that was entered last; a payload is UTF-8, one double or int32 numbers.
enum {
    TORTOISE_H5_GROUP,             // is entered
    TORTOISE_H5_GROUP_END,
    TORTOISE_H5_TEXT_ATTRIBUTE,    // of that group
    TORTOISE_H5_NUMBER_ATTRIBUTE,  // of that group: a double
    TORTOISE_H5_TEXT,              // a dataset without dimensions
    TORTOISE_H5_INTEGERS,          // a dataset of whole numbers of any width and shape, in row-major order
    TORTOISE_H5_FAULT,             // what keeps the thing of this name from being read; without a name, the file or group itself
    TORTOISE_H5_DONE,
};

// Goes before each record's name and payload.
typedef struct {
    uint32_t kind, name_bytes, payload_bytes;
} TortoiseH5Record;

// How a reading process ended.
enum {
    TORTOISE_H5_LEFT,  // by itself
    TORTOISE_H5_CRASHED,
    TORTOISE_H5_HUNG,    // and was stopped
    TORTOISE_H5_KILLED,  // by somebody else
};

// Starts a process that opens a file with the given flags and access properties (an hid_t) and writes everything in it to a pipe:
// attributes before what a group holds, groups in the file's own order. A damaged file can make the library follow pointers and
// sizes that are garbage, which no error handling in the calling process could catch. It may take a bounded share of memory and
// processor time. Call it where the library may be called.
//
// Returns the descriptor to read from, or -1 and errno. The caller closes it and calls tortoise_h5_end.
int tortoise_h5_start(const char *path, unsigned flags, int64_t access, pid_t *process);

// Waits for a reading process; one that is still at work is stopped first if its caller has enough.
int tortoise_h5_end(pid_t process, int is_enough);

// Whether everything that is stored of a dataset (an hid_t) unpacks to as many bytes as its shape takes: the library would read on
// behind a shorter chunk. The filters gzip, shuffle, fletcher32 and lzf are known; 0 is the answer for others.
int tortoise_h5_is_whole(int64_t dataset);

// The same for the chunks of some rows of a chunked dataset.
int tortoise_h5_rows_are_whole(int64_t dataset, uint64_t first, uint64_t count);

// In the reading process: writes the file's contents to a descriptor and does not return.
_Noreturn void tortoise_h5_write_contents(const char *path, unsigned flags, int64_t access, int descriptor);

#endif
