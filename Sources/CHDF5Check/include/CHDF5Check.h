// What the HDF5 library itself does not check before it follows what a file says.
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

// Whether everything that is stored of a dataset (an hid_t) unpacks to as many bytes as its shape takes: the library would read on
// behind a shorter chunk. Files whose structure has checksums (HDF5 1.10's format) are believed; in others gzip, shuffle, fletcher32
// and lzf are known, and 0 is the answer for other filters. Call it where the library may be called.
int tortoise_h5_is_whole(int64_t dataset);

#endif
