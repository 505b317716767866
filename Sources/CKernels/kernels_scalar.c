// The scalar kernels: plain loops over the C library. They are the specification of the others.
#include "tables.h"

#include "vec_scalar.h"
#include "vec_loops.h"
#include "vec_math_libm.h"

#define TK(name) name##_scalar
#include "bodies/all.inc"

const tk_table tk_table_scalar = {
    .name = "scalar",
#include "bodies/table.inc"
};
