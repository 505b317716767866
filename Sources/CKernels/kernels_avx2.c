// The kernels for AVX2, FMA and F16C.
#include "tables.h"

#if defined(__x86_64__)

// Its functions name their own targets, so it comes before the pragma.
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

#include "vec_avx2.h"
#include "vec_loops.h"
#include "vec_math.h"

#define TK(name) name##_avx2
#include "bodies/all.inc"

#pragma clang attribute pop

const tk_table tk_table_avx2 = {
    .name = "avx2",
#include "bodies/table.inc"
};

#endif
