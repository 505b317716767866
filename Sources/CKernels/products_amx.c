// The bfloat16 products of products_bf16.c on the tile registers of Intel's AMX (Sapphire Rapids and later).
//
// An instruction multiplies 16 rows of 16 pairs with 16 pairs of 16 columns; a kernel of 2 x 2 such tiles runs over packed
// blocks. A tile of A lies in memory as [16 rows][16 pairs], one of B as [16 pairs][16 columns], K filled up with zeros.
// Here too the order of the sums depends on K alone.
#define _GNU_SOURCE  // for syscall
#include "include/CKernels.h"

#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__) && defined(__linux__)

#include <sys/syscall.h>
#include <unistd.h>

#include "pack_bf16.h"

enum { TILE = 16, SIDE = 2 * TILE, BLOCK_K = 512, BLOCK_N = 1024, BLOCK_M = 128 };

// The system gives a process the tile registers when it asks for them; what a thread keeps on switching grows by 8 KB.
static int ask_for_tiles(void) {
    enum { request_permission = 0x1023, tile_data = 18 };
    return __builtin_cpu_supports("amx-bf16") && __builtin_cpu_supports("amx-tile") && tk_has_bf16_products() &&
           syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}

int tk_has_amx_products(void) {
    static int known;  // 0: not asked yet, 1: no, 2: yes. Two threads that ask at once get the same answer.
    int state = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (state == 0) {
        state = 1 + ask_for_tiles();
        __atomic_store_n(&known, state, __ATOMIC_RELAXED);
    }
    return state == 2;
}

#pragma clang attribute push(__attribute__((target(TK_BF16_TARGET ",amx-tile,amx-bf16"))), apply_to = function)

static void configure_tiles(void) {
    struct {
        uint8_t palette, start_row, reserved[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } configuration = {.palette = 1};
    for (int i = 0; i < 8; i++) {
        configuration.row_bytes[i] = TILE * sizeof(uint32_t);
        configuration.rows[i] = TILE;
    }
    _tile_loadconfig(&configuration);
}

// 32 rows of A by k, of which `count` exist: [16 pairs of k][row][pair]. `x` is as in pack_panel.
static void pack_rows(uint32_t *out, const float *x, ptrdiff_t stride, int dense_lines, ptrdiff_t count, ptrdiff_t k) {
    for (ptrdiff_t p = 0; p < k; p += 2 * TILE) {
        for (int line = 0; line < SIDE; line += TILE, out += TILE * TILE) {
            __m512i block[TILE];
#pragma unroll
            for (int i = 0; i < TILE; i++) {
                block[i] = _mm512_setzero_si512();
                if (dense_lines) {
                    ptrdiff_t at = p + 2 * i;
                    if (at >= k) continue;
                    const float *first = x + at * stride + line;
                    block[i] = line_pairs(first, at + 1 < k ? first + stride : NULL, lanes(count - line));
                } else if (line + i < count) {
                    const float *from = x + (line + i) * stride + p;
                    __m512 low = _mm512_maskz_loadu_ps(lanes(k - p), from);
                    __m512 high = _mm512_maskz_loadu_ps(lanes(k - p - TILE), from + TILE);
                    block[i] = (__m512i)_mm512_cvtne2ps_pbh(high, low);
                }
            }
            if (dense_lines) transpose(block);
#pragma unroll
            for (int i = 0; i < TILE; i++) _mm512_store_si512(out + i * TILE, block[i]);
        }
    }
}

// C (32 x 32) = or += 32 rows of A times a panel of B of 32 columns; k in steps of 16 pairs.
static inline void multiply_tiles(ptrdiff_t steps, const uint32_t *a, const uint32_t *b, int accumulate, float *c,
                                  ptrdiff_t c_stride) {
    ptrdiff_t row = c_stride * (ptrdiff_t)sizeof(float);
    float *below = c + TILE * c_stride;
    if (accumulate) {
        _tile_loadd(0, c, row);
        _tile_loadd(1, c + TILE, row);
        _tile_loadd(2, below, row);
        _tile_loadd(3, below + TILE, row);
    } else {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
    }
    for (ptrdiff_t s = 0; s < steps; s++, a += 2 * TILE * TILE, b += TILE * SIDE) {
        _tile_loadd(4, a, TILE * sizeof(uint32_t));
        _tile_loadd(6, b, SIDE * sizeof(uint32_t));
        _tile_loadd(5, a + TILE * TILE, TILE * sizeof(uint32_t));
        _tile_loadd(7, b + TILE, SIDE * sizeof(uint32_t));
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_dpbf16ps(3, 5, 7);
    }
    _tile_stored(0, c, row);
    _tile_stored(1, c + TILE, row);
    _tile_stored(2, below, row);
    _tile_stored(3, below + TILE, row);
}

// The same where less than 32 x 32 of C are there.
static void multiply_edge(ptrdiff_t steps, const uint32_t *a, const uint32_t *b, int accumulate, float *c,
                          ptrdiff_t c_stride, ptrdiff_t rows, ptrdiff_t columns) {
    float whole[SIDE * SIDE];
    if (accumulate) {
        memset(whole, 0, sizeof whole);
        for (ptrdiff_t r = 0; r < rows; r++) memcpy(whole + r * SIDE, c + r * c_stride, (size_t)columns * sizeof(float));
    }
    multiply_tiles(steps, a, b, accumulate, whole, SIDE);
    for (ptrdiff_t r = 0; r < rows; r++) memcpy(c + r * c_stride, whole + r * SIDE, (size_t)columns * sizeof(float));
}

void tk_multiply_amx(size_t m_, size_t n_, size_t k_, const float *a, ptrdiff_t a_stride, int a_transposed, const float *b,
                     ptrdiff_t b_stride, int b_transposed, int accumulate, float *c, ptrdiff_t c_stride, void *scratch) {
    ptrdiff_t m = (ptrdiff_t)m_, n = (ptrdiff_t)n_, k = (ptrdiff_t)k_;
    uint32_t *panels_b = scratch, *panels_a = panels_b + (size_t)BLOCK_N * BLOCK_K / 2;
    configure_tiles();
    for (ptrdiff_t j = 0; j < n; j += BLOCK_N) {
        ptrdiff_t width = least(BLOCK_N, n - j);
        for (ptrdiff_t p = 0; p < k; p += BLOCK_K) {
            ptrdiff_t depth = least(BLOCK_K, k - p), pairs = (depth + 1) / 2;
            ptrdiff_t steps = (pairs + TILE - 1) / TILE, stored = steps * TILE;
            int adds = accumulate || p > 0;
            for (ptrdiff_t q = 0; q < width; q += SIDE) {
                const float *from = b_transposed ? b + (j + q) * b_stride + p : b + p * b_stride + j + q;
                uint32_t *panel = panels_b + q * stored;
                pack_panel(panel, SIDE, from, b_stride, !b_transposed, least(SIDE, width - q), depth);
                memset(panel + pairs * SIDE, 0, (size_t)(stored - pairs) * SIDE * sizeof *panel);
            }
            for (ptrdiff_t i = 0; i < m; i += BLOCK_M) {
                ptrdiff_t height = least(BLOCK_M, m - i);
                for (ptrdiff_t r = 0; r < height; r += SIDE) {
                    const float *from = a_transposed ? a + p * a_stride + i + r : a + (i + r) * a_stride + p;
                    pack_rows(panels_a + r * stored, from, a_stride, a_transposed, least(SIDE, height - r), depth);
                }
                for (ptrdiff_t q = 0; q < width; q += SIDE) {
                    for (ptrdiff_t r = 0; r < height; r += SIDE) {
                        const uint32_t *left = panels_a + r * stored, *right = panels_b + q * stored;
                        float *to = c + (i + r) * c_stride + j + q;
                        ptrdiff_t rows = least(SIDE, height - r), columns = least(SIDE, width - q);
                        if (rows == SIDE && columns == SIDE) {
                            multiply_tiles(steps, left, right, adds, to, c_stride);
                        } else {
                            multiply_edge(steps, left, right, adds, to, c_stride, rows, columns);
                        }
                    }
                }
            }
        }
    }
    _tile_release();
}

#pragma clang attribute pop

size_t tk_amx_scratch_bytes(void) { return ((size_t)BLOCK_N + BLOCK_M) * BLOCK_K / 2 * sizeof(uint32_t); }

#else

int tk_has_amx_products(void) { return 0; }
size_t tk_amx_scratch_bytes(void) { return 0; }
void tk_multiply_amx(size_t m, size_t n, size_t k, const float *a, ptrdiff_t a_stride, int a_transposed, const float *b,
                     ptrdiff_t b_stride, int b_transposed, int accumulate, float *c, ptrdiff_t c_stride, void *scratch) {
    abort();  // nobody calls what tk_has_amx_products says is not there
}

#endif
