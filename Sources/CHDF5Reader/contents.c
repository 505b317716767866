// The walk through a file in the reading process. It may crash: only what it writes to the pipe counts.
#define _GNU_SOURCE
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "CHDF5Reader.h"

enum {
    DEPTH = 8,         // groups within groups; a file may link them in circles
    CACHE = 1 << 20,   // of structure that was read; left to itself it takes ten times 32 MB
};

static FILE *out;

static void write_record(uint32_t kind, const char *name, const void *payload, size_t bytes) {
    const size_t name_bytes = strlen(name);
    if (name_bytes > TORTOISE_H5_MOST_BYTES) return;
    const TortoiseH5Record record = {kind, (uint32_t)name_bytes, (uint32_t)bytes};
    fwrite(&record, sizeof record, 1, out);
    fwrite(name, 1, name_bytes, out);
    fwrite(payload, 1, bytes, out);
}

static void write_fault(const char *name, const char *why) { write_record(TORTOISE_H5_FAULT, name, why, strlen(why)); }

// The innermost entry of the library's errors is the cause.
static herr_t take_first(unsigned number, const H5E_error2_t *error, void *reason) {
    if (number == 0 && error->desc) *(const char **)reason = error->desc;
    return 0;
}

static void write_library_fault(const char *name) {
    const char *reason = "the HDF5 library does not say why";
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_first, &reason);
    write_fault(name, reason);
    H5Eclear2(H5E_DEFAULT);
}

typedef herr_t Read(hid_t object, hid_t type, void *into);

static herr_t read_attribute(hid_t attribute, hid_t type, void *into) { return H5Aread(attribute, type, into); }

static herr_t read_dataset(hid_t dataset, hid_t type, void *into) {
    return H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, into);
}

static void write_text(uint32_t kind, const char *name, hid_t object, hid_t type, Read *read) {
    char *text = NULL;
    const int is_variable = H5Tis_variable_str(type) > 0;
    const size_t size = is_variable ? 0 : H5Tget_size(type);
    if (size > TORTOISE_H5_MOST_BYTES) return write_fault(name, "the text is larger than 8 MiB");
    if (!is_variable && !(text = calloc(size + 1, 1))) return write_fault(name, "out of memory");
    if (read(object, type, is_variable ? (void *)&text : (void *)text) < 0) {
        write_library_fault(name);
    } else {
        const size_t length = text ? strlen(text) : 0;
        if (length <= TORTOISE_H5_MOST_BYTES) write_record(kind, name, text, length);
        else write_fault(name, "the text is larger than 8 MiB");
    }
    if (is_variable) H5free_memory(text);
    else free(text);
}

// Attributes that are neither one text nor one number are not of interest.
static herr_t write_attribute(hid_t object, const char *name, const H5A_info_t *info, void *context) {
    (void)info, (void)context;
    const hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    if (attribute < 0) return write_library_fault(name), 0;
    const hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
    const H5T_class_t kind = H5Tget_class(type);
    double number;
    if (type < 0 || space < 0) {
        write_library_fault(name);
    } else if (H5Sget_simple_extent_npoints(space) == 1) {
        if (kind == H5T_STRING) write_text(TORTOISE_H5_TEXT_ATTRIBUTE, name, attribute, type, read_attribute);
        else if (kind == H5T_INTEGER || kind == H5T_FLOAT) {
            if (H5Aread(attribute, H5T_NATIVE_DOUBLE, &number) < 0) write_library_fault(name);
            else write_record(TORTOISE_H5_NUMBER_ATTRIBUTE, name, &number, sizeof number);
        }
    }
    H5Sclose(space), H5Tclose(type), H5Aclose(attribute);
    return 0;
}

static void write_integers(const char *name, hid_t dataset, hssize_t count) {
    if (count > TORTOISE_H5_MOST_BYTES / (hssize_t)sizeof(int32_t)) return write_fault(name, "the array is larger than 8 MiB");
    int32_t *numbers = malloc((size_t)count * sizeof *numbers + 1);
    if (!numbers) return write_fault(name, "out of memory");
    if (read_dataset(dataset, H5T_NATIVE_INT32, numbers) < 0) write_library_fault(name);
    else write_record(TORTOISE_H5_INTEGERS, name, numbers, (size_t)count * sizeof *numbers);
    free(numbers);
}

static int lies_elsewhere(hid_t dataset) {
    const hid_t properties = H5Dget_create_plist(dataset);
    const int elsewhere = H5Pget_external_count(properties) > 0 || H5Pget_layout(properties) == H5D_VIRTUAL;
    H5Pclose(properties);
    return elsewhere;
}

// The number of a filter that the library lacks; -1 when it has all.
static int missing_filter(hid_t dataset) {
    const hid_t properties = H5Dget_create_plist(dataset);
    const int count = H5Pget_nfilters(properties);
    int missing = -1;
    for (int index = 0; index < count && missing < 0; index++) {
        unsigned flags;
        size_t values = 0;
        const H5Z_filter_t filter = H5Pget_filter2(properties, (unsigned)index, &flags, &values, NULL, 0, NULL, NULL);
        if (filter >= 0 && H5Zfilter_avail(filter) <= 0) missing = filter;
    }
    H5Pclose(properties);
    return missing;
}

static void write_dataset(const char *name, hid_t dataset) {
    const hid_t type = H5Dget_type(dataset), space = H5Dget_space(dataset);
    const H5T_class_t kind = H5Tget_class(type);
    const hssize_t count = H5Sget_simple_extent_npoints(space);
    const int filter = missing_filter(dataset);
    char why[64];
    if (type < 0 || space < 0 || count < 0) {
        write_library_fault(name);
    } else if (lies_elsewhere(dataset)) {
        write_fault(name, "what it holds lies in other files");
    } else if (filter >= 0) {
        snprintf(why, sizeof why, "it is packed with filter %d; known are gzip, shuffle and lzf", filter);
        write_fault(name, why);
    } else if (kind != H5T_INTEGER && !(kind == H5T_STRING && count == 1)) {
        write_fault(name, "it is neither whole numbers nor one text");
    } else if (!tortoise_h5_is_whole(dataset)) {
        write_fault(name, "what is stored of this array is not what its shape takes");
    } else if (kind == H5T_STRING) {
        write_text(TORTOISE_H5_TEXT, name, dataset, type, read_dataset);
    } else {
        write_integers(name, dataset, count);
    }
    H5Sclose(space), H5Tclose(type);
}

static void write_group(const char *name, hid_t group, int depth);

// Links to other files are passed over: they may be pipes, or of any kind.
static herr_t write_link(hid_t parent, const char *name, const H5L_info_t *info, void *depth) {
    if (info->type != H5L_TYPE_HARD && info->type != H5L_TYPE_SOFT) return 0;
    const hid_t object = H5Oopen(parent, name, H5P_DEFAULT);
    if (object < 0) return write_library_fault(name), 0;
    switch (H5Iget_type(object)) {
        case H5I_GROUP: write_group(name, object, *(const int *)depth); break;
        case H5I_DATASET: write_dataset(name, object); break;
        default: break;
    }
    H5Oclose(object);
    return 0;
}

static void write_group(const char *name, hid_t group, int depth) {
    if (depth > DEPTH) return write_fault(name, "groups lie deeper than eight within each other");
    int below = depth + 1;
    write_record(TORTOISE_H5_GROUP, name, NULL, 0);
    if (H5Aiterate2(group, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, write_attribute, NULL) < 0) write_library_fault("");
    // In the file's own order: for any other the library makes a table, which it cannot clear away when a link is damaged.
    if (H5Literate(group, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, write_link, &below) < 0) write_library_fault("");
    write_record(TORTOISE_H5_GROUP_END, name, NULL, 0);
}

static void keep_cache_small(hid_t access) {
    H5AC_cache_config_t cache = {.version = H5AC__CURR_CACHE_CONFIG_VERSION};
    if (H5Pget_mdc_config(access, &cache) < 0) return;
    cache.set_initial_size = 1;
    cache.initial_size = cache.min_size = cache.max_size = CACHE;
    cache.incr_mode = H5C_incr__off;
    cache.flash_incr_mode = H5C_flash_incr__off;
    cache.decr_mode = H5C_decr__off;
    H5Pset_mdc_config(access, &cache);
}

void tortoise_h5_write_contents(const char *path, unsigned flags, int64_t access, int descriptor) {
    out = fdopen(descriptor, "w");
    if (!out) _exit(1);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    keep_cache_small((hid_t)access);
    const hid_t file = H5Fopen(path, flags, (hid_t)access);
    const hid_t root = file >= 0 ? H5Gopen2(file, "/", H5P_DEFAULT) : H5I_INVALID_HID;
    if (root < 0) write_library_fault("");
    else write_group("/", root, 0);
    write_record(TORTOISE_H5_DONE, "", NULL, 0);
    // Without closing the file: whatever that could break is no concern of anybody.
    _exit(fflush(out) != 0);
}
