#include <hdf5.h>
#include <lzf.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "CHDF5Reader.h"

enum {
    LZF = 32000,             // h5py's filter
    LZF_LARGEST_RATIO = 88,  // 264 bytes in three
    FLETCHER_BYTES = 4,
    FILTERS = H5Z_MAX_NFILTERS,
    MOST_CHUNKS = 1 << 20,
};

// A chunk on its way back through the filters; `bytes` is NULL once only its size is known.
typedef struct {
    unsigned char *bytes;
    size_t size;
} Chunk;

// How many bytes zlib's stream holds; SIZE_MAX for more than `most` or damage.
static size_t inflated_size(const Chunk *chunk, size_t most) {
    unsigned char piece[16 << 10];
    z_stream stream = {.next_in = chunk->bytes, .avail_in = (uInt)chunk->size};
    if (chunk->size > UINT32_MAX || inflateInit(&stream) != Z_OK) return SIZE_MAX;
    int status = Z_OK;
    while (status == Z_OK && stream.total_out <= most) {
        stream.next_out = piece;
        stream.avail_out = sizeof piece;
        status = inflate(&stream, Z_SYNC_FLUSH);
    }
    const size_t size = status == Z_STREAM_END && stream.total_out <= most ? stream.total_out : SIZE_MAX;
    inflateEnd(&stream);
    return size;
}

static size_t unpacked_size(const Chunk *chunk, size_t most) {
    if (chunk->size > UINT32_MAX || most > UINT32_MAX || most / LZF_LARGEST_RATIO > chunk->size) return SIZE_MAX;
    void *output = malloc(most ? most : 1);
    const unsigned size = output ? lzf_decompress(chunk->bytes, (unsigned)chunk->size, output, (unsigned)most) : 0;
    free(output);
    return size > 0 ? size : SIZE_MAX;
}

// Takes one filter back; 0 when what comes out cannot be told.
static int undo(H5Z_filter_t filter, Chunk *chunk, size_t most) {
    if (filter == H5Z_FILTER_SHUFFLE) return 1;
    if (!chunk->bytes) return 0;  // packed twice
    switch (filter) {
        case H5Z_FILTER_FLETCHER32:
            if (chunk->size < FLETCHER_BYTES) return 0;
            chunk->size -= FLETCHER_BYTES;
            return 1;
        case H5Z_FILTER_DEFLATE: chunk->size = inflated_size(chunk, most); break;
        case LZF: chunk->size = unpacked_size(chunk, most); break;
        default: return 0;
    }
    chunk->bytes = NULL;
    return chunk->size != SIZE_MAX;
}

// How a dataset's chunks are laid and packed.
typedef struct {
    int rank, filter_count;
    hsize_t chunk[H5S_MAX_RANK], extent[H5S_MAX_RANK];
    H5Z_filter_t filters[FILTERS];
    size_t bytes;  // of a chunk
} Packing;

// Whether the chunk at a place unpacks to its size; one that was never written is as well.
static int is_chunk_whole(hid_t dataset, const hsize_t *place, const Packing *packing) {
    hsize_t stored = 0;
    if (H5Dget_chunk_storage_size(dataset, place, &stored) < 0) return 0;
    if (stored == 0) return 1;
    if (packing->filter_count == 0) return stored == packing->bytes;
    // No filter makes a chunk much larger than it was.
    if (stored > 2 * (hsize_t)packing->bytes + 1024) return 0;
    unsigned char *bytes = malloc(stored);
    uint32_t skipped = 0;
    int whole = bytes && H5Dread_chunk(dataset, H5P_DEFAULT, place, &skipped, bytes) >= 0;
    Chunk chunk = {bytes, stored};
    for (int index = packing->filter_count - 1; whole && index >= 0; index--)
        if (!(skipped >> index & 1)) whole = undo(packing->filters[index], &chunk, packing->bytes);
    free(bytes);
    return whole && chunk.size == packing->bytes;
}

static int read_packing(hid_t space, hid_t properties, size_t element, Packing *packing) {
    packing->rank = H5Pget_chunk(properties, H5S_MAX_RANK, packing->chunk);
    packing->filter_count = H5Pget_nfilters(properties);
    packing->bytes = element;
    if (packing->rank < 1 || packing->rank != H5Sget_simple_extent_dims(space, packing->extent, NULL)) return 0;
    if (packing->filter_count < 0 || packing->filter_count > FILTERS) return 0;
    for (int axis = 0; axis < packing->rank; axis++) {
        if (packing->chunk[axis] == 0 || packing->bytes > UINT32_MAX / packing->chunk[axis]) return 0;
        packing->bytes *= packing->chunk[axis];
    }
    for (int index = 0; index < packing->filter_count; index++) {
        unsigned flags;
        size_t values = 0;
        packing->filters[index] = H5Pget_filter2(properties, (unsigned)index, &flags, &values, NULL, 0, NULL, NULL);
        if (packing->filters[index] < 0) return 0;
    }
    return 1;
}

// Looks at the chunks that hold rows [first, last) of the first axis.
static int are_chunks_whole(hid_t dataset, const Packing *packing, hsize_t first, hsize_t last) {
    if (last > packing->extent[0]) last = packing->extent[0];
    const hsize_t top = first / packing->chunk[0] * packing->chunk[0];
    hsize_t chunks = 1, place[H5S_MAX_RANK] = {top};
    for (int axis = 0; axis < packing->rank; axis++) {
        const hsize_t length = axis > 0 ? packing->extent[axis] : last > top ? last - top : 0;
        const hsize_t count = length / packing->chunk[axis] + (length % packing->chunk[axis] != 0);
        if (count == 0) return 1;
        if (count > MOST_CHUNKS / chunks) return 0;
        chunks *= count;
    }
    for (; chunks > 0; chunks--) {
        if (!is_chunk_whole(dataset, place, packing)) return 0;
        for (int axis = packing->rank - 1; axis >= 0; axis--) {
            place[axis] += packing->chunk[axis];
            if (axis == 0 || place[axis] < packing->extent[axis]) break;
            place[axis] = 0;
        }
    }
    return 1;
}

int tortoise_h5_rows_are_whole(int64_t dataset, uint64_t first, uint64_t count) {
    const hid_t type = H5Dget_type(dataset), space = H5Dget_space(dataset), properties = H5Dget_create_plist(dataset);
    Packing packing;
    const int whole = read_packing(space, properties, H5Tget_size(type), &packing) &&
                      are_chunks_whole(dataset, &packing, first, first + count);
    H5Pclose(properties), H5Sclose(space), H5Tclose(type);
    return whole;
}

int tortoise_h5_is_whole(int64_t dataset) {
    const hid_t type = H5Dget_type(dataset), space = H5Dget_space(dataset), properties = H5Dget_create_plist(dataset);
    const size_t element = H5Tget_size(type);
    const hssize_t count = H5Sget_simple_extent_npoints(space);
    int whole = element > 0 && count >= 0;
    switch (whole ? H5Pget_layout(properties) : H5D_LAYOUT_ERROR) {
        case H5D_CHUNKED: {
            Packing packing;
            whole = read_packing(space, properties, element, &packing) &&
                    are_chunks_whole(dataset, &packing, 0, packing.extent[0]);
            break;
        }
        // Nothing is stored before the first write.
        case H5D_COMPACT:
        case H5D_CONTIGUOUS: {
            const hsize_t stored = H5Dget_storage_size(dataset);
            whole = stored == 0 || stored / element >= (hsize_t)count;
            break;
        }
        default: whole = 0;
    }
    H5Pclose(properties), H5Sclose(space), H5Tclose(type);
    return whole;
}
