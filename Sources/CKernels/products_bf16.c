// Matrix products of float32 matrices whose elements are rounded to bfloat16 on the way; sums are float32.
//
// The scheme is that of Goto and van de Geijn ("Anatomy of high-performance matrix multiplication", 2008): a block of B
// that fits the second-level cache and a block of A are packed into panels, and a kernel of 8 x 48 sums runs over them.
// Elements that follow each other along K lie in pairs, since the instruction multiplies and adds two at a time.
// The order of the sums depends on K alone, so an element is the same whatever part of C a call is given.
#include "include/CKernels.h"

#include <stdlib.h>

#if defined(__x86_64__)

#include "pack_bf16.h"

int tk_has_bf16_products(void) {
    return __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}

int tk_bf16_products_pay(void) { return tk_has_bf16_products() && !__builtin_cpu_is("intel"); }

enum { ROWS = 8, COLUMNS = 48, BLOCK_K = 256, BLOCK_N = 768, BLOCK_M = 128 };

#pragma clang attribute push(__attribute__((target(TK_BF16_TARGET))), apply_to = function)

// C (8 x 48) = or += a panel of A times a panel of B.
static inline void multiply_panels(ptrdiff_t pairs, const uint32_t *a, const uint32_t *b, int accumulate, float *c,
                                   ptrdiff_t c_stride) {
    __m512 sum[ROWS][3];
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
        for (int j = 0; j < 3; j++) {
            sum[r][j] = accumulate ? _mm512_loadu_ps(c + r * c_stride + 16 * j) : _mm512_setzero_ps();
        }
    }
    for (ptrdiff_t p = 0; p < pairs; p++, a += ROWS, b += COLUMNS) {
        __m512bh b0 = (__m512bh)_mm512_loadu_si512(b);
        __m512bh b1 = (__m512bh)_mm512_loadu_si512(b + 16);
        __m512bh b2 = (__m512bh)_mm512_loadu_si512(b + 32);
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            __m512bh pair = (__m512bh)_mm512_set1_epi32((int)a[r]);
            sum[r][0] = _mm512_dpbf16_ps(sum[r][0], pair, b0);
            sum[r][1] = _mm512_dpbf16_ps(sum[r][1], pair, b1);
            sum[r][2] = _mm512_dpbf16_ps(sum[r][2], pair, b2);
        }
    }
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
        for (int j = 0; j < 3; j++) _mm512_storeu_ps(c + r * c_stride + 16 * j, sum[r][j]);
    }
}

// The same where less than 8 x 48 of C are there.
static void multiply_edge(ptrdiff_t pairs, const uint32_t *a, const uint32_t *b, int accumulate, float *c,
                          ptrdiff_t c_stride, ptrdiff_t rows, ptrdiff_t columns) {
    float whole[ROWS * COLUMNS];
    if (accumulate) {
        for (ptrdiff_t r = 0; r < ROWS; r++) {
            for (ptrdiff_t j = 0; j < COLUMNS; j++) {
                whole[r * COLUMNS + j] = r < rows && j < columns ? c[r * c_stride + j] : 0;
            }
        }
    }
    multiply_panels(pairs, a, b, accumulate, whole, COLUMNS);
    for (ptrdiff_t r = 0; r < rows; r++) {
        for (ptrdiff_t j = 0; j < columns; j++) c[r * c_stride + j] = whole[r * COLUMNS + j];
    }
}

void tk_multiply_bf16(size_t m_, size_t n_, size_t k_, const float *a, ptrdiff_t a_stride, int a_transposed,
                      const float *b, ptrdiff_t b_stride, int b_transposed, int accumulate, float *c,
                      ptrdiff_t c_stride, void *scratch) {
    ptrdiff_t m = (ptrdiff_t)m_, n = (ptrdiff_t)n_, k = (ptrdiff_t)k_;
    uint32_t *panels_b = scratch, *panels_a = panels_b + (size_t)BLOCK_N * BLOCK_K / 2;
    for (ptrdiff_t j = 0; j < n; j += BLOCK_N) {
        ptrdiff_t width = least(BLOCK_N, n - j);
        for (ptrdiff_t p = 0; p < k; p += BLOCK_K) {
            ptrdiff_t depth = least(BLOCK_K, k - p), pairs = (depth + 1) / 2;
            int adds = accumulate || p > 0;
            for (ptrdiff_t q = 0; q < width; q += COLUMNS) {
                const float *from = b_transposed ? b + (j + q) * b_stride + p : b + p * b_stride + j + q;
                pack_panel(panels_b + q * pairs, COLUMNS, from, b_stride, !b_transposed, least(COLUMNS, width - q), depth);
            }
            for (ptrdiff_t i = 0; i < m; i += BLOCK_M) {
                ptrdiff_t height = least(BLOCK_M, m - i);
                for (ptrdiff_t r = 0; r < height; r += ROWS) {
                    const float *from = a_transposed ? a + p * a_stride + i + r : a + (i + r) * a_stride + p;
                    pack_panel(panels_a + r * pairs, ROWS, from, a_stride, a_transposed, least(ROWS, height - r), depth);
                }
                for (ptrdiff_t q = 0; q < width; q += COLUMNS) {
                    for (ptrdiff_t r = 0; r < height; r += ROWS) {
                        float *to = c + (i + r) * c_stride + j + q;
                        ptrdiff_t rows = least(ROWS, height - r), columns = least(COLUMNS, width - q);
                        if (rows == ROWS && columns == COLUMNS) {
                            multiply_panels(pairs, panels_a + r * pairs, panels_b + q * pairs, adds, to, c_stride);
                        } else {
                            multiply_edge(pairs, panels_a + r * pairs, panels_b + q * pairs, adds, to, c_stride, rows,
                                          columns);
                        }
                    }
                }
            }
        }
    }
}

#pragma clang attribute pop

size_t tk_bf16_scratch_bytes(void) { return ((size_t)BLOCK_N + BLOCK_M) * BLOCK_K / 2 * sizeof(uint32_t); }

#else

int tk_has_bf16_products(void) { return 0; }
int tk_bf16_products_pay(void) { return 0; }
size_t tk_bf16_scratch_bytes(void) { return 0; }
void tk_multiply_bf16(size_t m, size_t n, size_t k, const float *a, ptrdiff_t a_stride, int a_transposed, const float *b,
                      ptrdiff_t b_stride, int b_transposed, int accumulate, float *c, ptrdiff_t c_stride, void *scratch) {
    abort();  // nobody calls what tk_has_bf16_products says is not there
}

#endif
