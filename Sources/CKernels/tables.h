// The tables that dispatch.c chooses from.
#ifndef TABLES_H
#define TABLES_H

#include "CKernels.h"

extern const tk_table tk_table_scalar;
#if defined(__x86_64__)
extern const tk_table tk_table_avx2;
extern const tk_table tk_table_avx512;
#endif

#endif
