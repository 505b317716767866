// How the bfloat16 products pack float32 matrices: rounded, and in pairs along K, which the instructions add two at a time.
// Only for files that are compiled for AVX-512 with bfloat16.
#ifndef TK_PACK_BF16_H
#define TK_PACK_BF16_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define TK_BF16_TARGET "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx2,fma"

#pragma clang attribute push(__attribute__((target(TK_BF16_TARGET))), apply_to = function)

static inline __mmask16 lanes(ptrdiff_t count) {
    return count >= 16 ? 0xffff : count <= 0 ? 0 : (__mmask16)((1u << count) - 1);
}

// 16 neighbouring lines at 2k and 2k + 1, as pairs.
static inline __m512i line_pairs(const float *first, const float *second, __mmask16 valid) {
    __m512i low = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(valid, first)));
    if (second == NULL) return low;
    __m512i high = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(valid, second)));
    return _mm512_or_si512(low, _mm512_slli_epi32(high, 16));
}

static inline ptrdiff_t least(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }

// The transpose of 16 x 16 elements: pairs of rows, pairs of pairs, then whole quarters change places.
static inline void transpose(__m512i x[16]) {
    __m512i y[16];
#pragma unroll
    for (int i = 0; i < 16; i += 2) {
        y[i] = _mm512_unpacklo_epi32(x[i], x[i + 1]);
        y[i + 1] = _mm512_unpackhi_epi32(x[i], x[i + 1]);
    }
#pragma unroll
    for (int i = 0; i < 16; i += 4) {
        x[i] = _mm512_unpacklo_epi64(y[i], y[i + 2]);
        x[i + 1] = _mm512_unpackhi_epi64(y[i], y[i + 2]);
        x[i + 2] = _mm512_unpacklo_epi64(y[i + 1], y[i + 3]);
        x[i + 3] = _mm512_unpackhi_epi64(y[i + 1], y[i + 3]);
    }
#pragma unroll
    for (int i = 0; i < 4; i++) {
        for (int half = 0; half < 16; half += 8) {
            y[half + i] = _mm512_shuffle_i32x4(x[half + i], x[half + i + 4], 0x88);
            y[half + i + 4] = _mm512_shuffle_i32x4(x[half + i], x[half + i + 4], 0xdd);
        }
    }
#pragma unroll
    for (int i = 0; i < 8; i++) {
        x[i] = _mm512_shuffle_i32x4(y[i], y[i + 8], 0x88);
        x[i + 8] = _mm512_shuffle_i32x4(y[i], y[i + 8], 0xdd);
    }
}

// A panel of `width` lines (rows of A or columns of B) by k, of which `count` exist: [pairs of k][width].
// Lines are `stride` apart and dense along k, or with `dense_lines` dense themselves and k is `stride` apart.
static void pack_panel(uint32_t *out, int width, const float *x, ptrdiff_t stride, int dense_lines, ptrdiff_t count,
                       ptrdiff_t k) {
    ptrdiff_t pairs = (k + 1) / 2;
    if (dense_lines) {
        for (ptrdiff_t p = 0; p < pairs; p++, out += width) {
            const float *first = x + 2 * p * stride;
            const float *second = 2 * p + 1 < k ? first + stride : NULL;
            for (int line = 0; line < width; line += 16) {
                __m512i both = line_pairs(first + line, second ? second + line : NULL, lanes(count - line));
                _mm512_mask_storeu_epi32(out + line, lanes(width - line), both);
            }
        }
        return;
    }
    for (int line = 0; line < width; line += 16) {
        const float *from = x + line * stride;
        __mmask16 stored = lanes(width - line);
        for (ptrdiff_t p = 0; p < pairs; p += 16) {
            __m512i block[16];
#pragma unroll
            for (int i = 0; i < 16; i++) {
                block[i] = _mm512_setzero_si512();
                if (line + i >= count) continue;
                __m512 low = _mm512_maskz_loadu_ps(lanes(k - 2 * p), from + i * stride + 2 * p);
                __m512 high = _mm512_maskz_loadu_ps(lanes(k - 2 * p - 16), from + i * stride + 2 * p + 16);
                block[i] = (__m512i)_mm512_cvtne2ps_pbh(high, low);
            }
            transpose(block);
            ptrdiff_t there = least(16, pairs - p);
            for (ptrdiff_t i = 0; i < there; i++) {
                _mm512_mask_storeu_epi32(out + (p + i) * width + line, stored, block[i]);
            }
        }
    }
}

#pragma clang attribute pop

#endif
