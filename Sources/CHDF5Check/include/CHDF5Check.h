// Whether the HDF5 library survives reading a file.
#ifndef CHDF5_CHECK_H
#define CHDF5_CHECK_H

#include <stdint.h>

enum {
    TORTOISE_H5_READABLE,  // or unreadable with an error that the library reports in good order
    TORTOISE_H5_CRASHES,
    TORTOISE_H5_HANGS,
    TORTOISE_H5_GREEDY,     // takes memory out of proportion
    TORTOISE_H5_UNCHECKED,  // no process could be made
};

// Opens a file with the given flags and access properties (an hid_t) in a child process and reads all of its structure: names,
// attributes, types, places of chunks, and a little of every dataset. A damaged file can make the library follow pointers and
// sizes that are garbage, which no error handling in this process could catch. Call it where the library may be called.
int tortoise_h5_check(const char *path, unsigned flags, int64_t access);

#endif
