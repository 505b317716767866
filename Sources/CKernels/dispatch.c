// Which kernels this processor can run, and the few instructions that C has no name for.
#include "tables.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

const tk_table *tk_table_for(tk_isa isa) {
    switch (isa) {
        case TK_SCALAR: return &tk_table_scalar;
#if defined(__x86_64__)
        case TK_AVX2: {
            int has = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
            return has ? &tk_table_avx2 : NULL;
        }
        // AMX multiplies matrices only; all else stays as it is.
        case TK_AMX: return tk_has_amx_products() ? tk_table_for(TK_AVX512) : NULL;
        case TK_AVX512: {
            int has = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
            return has ? &tk_table_avx512 : NULL;
        }
#endif
        default: return NULL;
    }
}

uint64_t tk_flush_denormals(void) {
#if defined(__x86_64__)
    uint32_t mode = _mm_getcsr();
    _mm_setcsr(mode | 0x8040);  // flush to zero, denormals are zero
    return mode;
#elif defined(__aarch64__)
    uint64_t mode;
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
    __asm__ volatile("msr fpcr, %0" : : "r"(mode | 1ull << 24));
    return mode;
#else
    return 0;
#endif
}

void tk_restore_denormals(uint64_t mode) {
#if defined(__x86_64__)
    _mm_setcsr((uint32_t)mode);
#elif defined(__aarch64__)
    __asm__ volatile("msr fpcr, %0" : : "r"(mode));
#else
    (void)mode;
#endif
}

void tk_pause(void) {
#if defined(__x86_64__)
    _mm_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}
