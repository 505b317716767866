// The kernels for AVX-512 F, BW, DQ and VL.
#include "tables.h"

#if defined(__x86_64__)

// Its functions name their own targets, so it comes before the pragma.
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c"))), \
                             apply_to = function)

#include "vec_avx512.h"
#include "vec_loops.h"
#include "vec_math.h"

#define TK(name) name##_avx512
#include "bodies/all.inc"

#pragma clang attribute pop

const tk_table tk_table_avx512 = {
    .name = "avx512",
#include "bodies/table.inc"
};

#endif
