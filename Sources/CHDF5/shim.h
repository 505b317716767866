#include <hdf5.h>

// HDF5 names its types, classes and flags by macros that call a function first, which Swift cannot see.
// One inline function each makes them visible.

static inline hid_t tortoise_h5_uint8(void) { return H5T_NATIVE_UINT8; }
static inline hid_t tortoise_h5_uint16(void) { return H5T_NATIVE_UINT16; }
static inline hid_t tortoise_h5_uint32(void) { return H5T_NATIVE_UINT32; }
static inline hid_t tortoise_h5_int16(void) { return H5T_NATIVE_INT16; }
static inline hid_t tortoise_h5_int32(void) { return H5T_NATIVE_INT32; }
static inline hid_t tortoise_h5_int64(void) { return H5T_NATIVE_INT64; }
static inline hid_t tortoise_h5_float(void) { return H5T_NATIVE_FLOAT; }
static inline hid_t tortoise_h5_double(void) { return H5T_NATIVE_DOUBLE; }
static inline hid_t tortoise_h5_c_string(void) { return H5T_C_S1; }

static inline hid_t tortoise_h5_file_access(void) { return H5P_FILE_ACCESS; }
static inline hid_t tortoise_h5_dataset_create(void) { return H5P_DATASET_CREATE; }
static inline hid_t tortoise_h5_link_create(void) { return H5P_LINK_CREATE; }

static inline unsigned tortoise_h5_read_only(void) { return H5F_ACC_RDONLY; }
static inline unsigned tortoise_h5_read_write(void) { return H5F_ACC_RDWR; }
static inline unsigned tortoise_h5_exclusive(void) { return H5F_ACC_EXCL; }
static inline unsigned tortoise_h5_swmr_read(void) { return H5F_ACC_SWMR_READ; }
static inline unsigned tortoise_h5_swmr_write(void) { return H5F_ACC_SWMR_WRITE; }
static inline hsize_t tortoise_h5_unlimited(void) { return H5S_UNLIMITED; }
static inline size_t tortoise_h5_variable(void) { return H5T_VARIABLE; }

static inline hid_t tortoise_h5_all(void) { return H5S_ALL; }
static inline hid_t tortoise_h5_default(void) { return H5P_DEFAULT; }
static inline hid_t tortoise_h5_error_stack(void) { return H5E_DEFAULT; }
