// The vocabulary of the kernels with the 16 lanes of AVX-512 F, BW, DQ and VL; vec_scalar.h documents it.
#ifndef VEC_AVX512_H
#define VEC_AVX512_H

#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

enum { VW = 16 };
typedef float vf __attribute__((vector_size(64)));
typedef int32_t vi __attribute__((vector_size(64)));
typedef uint32_t vu __attribute__((vector_size(64)));
typedef __mmask16 vm;
typedef struct { __m512d low, high; } vd;

// -- Making, loading, storing --------------------------------------------------------------------------------------
INLINE vf vf_set(float x) { return _mm512_set1_ps(x); }
INLINE vi vi_set(int32_t x) { return (vi)_mm512_set1_epi32(x); }
INLINE vu vu_set(uint32_t x) { return (vu)_mm512_set1_epi32((int32_t)x); }
INLINE vu vu_lane_numbers(void) { return (vu)_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15); }

// The lanes below k.
INLINE vm vm_first(size_t k) { return (vm)((1u << k) - 1); }

INLINE __m512i v_load(const void *p, size_t k) {
    return k == VW ? _mm512_loadu_si512(p) : _mm512_maskz_loadu_epi32(vm_first(k), p);
}
INLINE void v_store(void *p, __m512i v, size_t k) {
    if (k == VW) _mm512_storeu_si512(p, v);
    else _mm512_mask_storeu_epi32(p, vm_first(k), v);
}
INLINE vf vf_load(const float *p, size_t k) { return (vf)v_load(p, k); }
INLINE void vf_store(float *p, vf v, size_t k) { v_store(p, (__m512i)v, k); }
INLINE vi vi_load(const int32_t *p, size_t k) { return (vi)v_load(p, k); }
INLINE void vi_store(int32_t *p, vi v, size_t k) { v_store(p, (__m512i)v, k); }
INLINE vu vu_load_u8(const uint8_t *p, size_t k) {
    __m128i bytes = k == VW ? _mm_loadu_si128((const __m128i *)p) : _mm_maskz_loadu_epi8(vm_first(k), p);
    return (vu)_mm512_cvtepu8_epi32(bytes);
}
INLINE void vu_store_u8(uint8_t *p, vu v, size_t k) {
    if (k == VW) _mm_storeu_si128((__m128i *)p, _mm512_cvtepi32_epi8((__m512i)v));
    else _mm512_mask_cvtepi32_storeu_epi8(p, vm_first(k), (__m512i)v);
}
INLINE __m256i v_load_halves(const uint16_t *p, size_t k) {
    return k == VW ? _mm256_loadu_si256((const __m256i *)p) : _mm256_maskz_loadu_epi16(vm_first(k), p);
}
INLINE vf vf_load_bf16(const uint16_t *p, size_t k) {
    return (vf)_mm512_slli_epi32(_mm512_cvtepu16_epi32(v_load_halves(p, k)), 16);
}
INLINE vf vf_load_f16(const uint16_t *p, size_t k) { return _mm512_cvtph_ps(v_load_halves(p, k)); }

INLINE vf vf_lookup(const float *table, vu index) { return _mm512_i32gather_ps((__m512i)index, table, 4); }

INLINE void vu_store_interleaved(uint32_t *p, vu w0, vu w1, vu w2, vu w3) {
    // Each vector of quads holds a lane in every 128-bit part: l0 is lanes 0, 4, 8, 12.
    __m512i a = _mm512_unpacklo_epi32((__m512i)w0, (__m512i)w1), b = _mm512_unpackhi_epi32((__m512i)w0, (__m512i)w1);
    __m512i c = _mm512_unpacklo_epi32((__m512i)w2, (__m512i)w3), d = _mm512_unpackhi_epi32((__m512i)w2, (__m512i)w3);
    __m512i l0 = _mm512_unpacklo_epi64(a, c), l1 = _mm512_unpackhi_epi64(a, c);
    __m512i l2 = _mm512_unpacklo_epi64(b, d), l3 = _mm512_unpackhi_epi64(b, d);
    __m512i e = _mm512_shuffle_i64x2(l0, l1, 0x44), f = _mm512_shuffle_i64x2(l2, l3, 0x44);  // parts 0 and 1
    __m512i g = _mm512_shuffle_i64x2(l0, l1, 0xee), h = _mm512_shuffle_i64x2(l2, l3, 0xee);  // parts 2 and 3
    _mm512_storeu_si512(p, _mm512_shuffle_i64x2(e, f, 0x88));
    _mm512_storeu_si512(p + 16, _mm512_shuffle_i64x2(e, f, 0xdd));
    _mm512_storeu_si512(p + 32, _mm512_shuffle_i64x2(g, h, 0x88));
    _mm512_storeu_si512(p + 48, _mm512_shuffle_i64x2(g, h, 0xdd));
}

// -- Arithmetic ----------------------------------------------------------------------------------------------------
INLINE vf vf_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
INLINE vf vf_min(vf a, vf b) { return _mm512_min_ps(a, b); }
INLINE vf vf_max(vf a, vf b) { return _mm512_max_ps(a, b); }
INLINE vf vf_sqrt(vf a) { return _mm512_sqrt_ps(a); }
INLINE vf vf_abs(vf a) { return _mm512_abs_ps(a); }
INLINE vf vf_round(vf a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }

INLINE vu vu_multiply_wide(vu a, vu b, vu *high) {
    __m512i even = _mm512_mul_epu32((__m512i)a, (__m512i)b);
    __m512i odd = _mm512_mul_epu32(_mm512_srli_epi64((__m512i)a, 32), _mm512_srli_epi64((__m512i)b, 32));
    *high = (vu)_mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64(even, 32), odd);
    return (vu)_mm512_mask_blend_epi32(0xaaaa, even, _mm512_slli_epi64(odd, 32));
}

// -- Conversion and bits ---------------------------------------------------------------------------------------------
INLINE vi vf_to_int(vf a) { return (vi)_mm512_cvtps_epi32(a); }
INLINE vf vi_to_float(vi a) { return _mm512_cvtepi32_ps((__m512i)a); }
INLINE vi vf_bits(vf a) { return (vi)a; }
INLINE vf vi_as_float(vi a) { return (vf)a; }

// -- Comparison and choice --------------------------------------------------------------------------------------------
INLINE vm vf_less(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
INLINE vm vf_less_equal(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ); }
INLINE vm vf_equal(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
INLINE vm vf_is_nan(vf a) { return _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q); }
INLINE vm vi_equal(vi a, vi b) { return _mm512_cmpeq_epi32_mask((__m512i)a, (__m512i)b); }
INLINE vm vi_less(vi a, vi b) { return _mm512_cmplt_epi32_mask((__m512i)a, (__m512i)b); }
INLINE vm vu_less(vu a, vu b) { return _mm512_cmplt_epu32_mask((__m512i)a, (__m512i)b); }
INLINE vm vm_and(vm a, vm b) { return a & b; }
INLINE vm vm_or(vm a, vm b) { return a | b; }
INLINE unsigned vm_bits(vm m) { return m; }
INLINE int vm_any(vm m) { return m != 0; }
INLINE vf vf_select(vm m, vf a, vf b) { return _mm512_mask_blend_ps(m, b, a); }
INLINE vi vi_select(vm m, vi a, vi b) { return (vi)_mm512_mask_blend_epi32(m, (__m512i)b, (__m512i)a); }
INLINE vf vf_fill(vf v, size_t k, float x) { return k == VW ? v : vf_select(vm_first(k), v, vf_set(x)); }

// -- Over lanes, always in the same order -----------------------------------------------------------------------------
#define VEC_OVER_LANES(name, suffix)                                                                         \
    INLINE float name(vf v) {                                                                                \
        __m256 eight = _mm256_##suffix##_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));        \
        __m128 four = _mm_##suffix##_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));     \
        __m128 two = _mm_##suffix##_ps(four, _mm_movehl_ps(four, four));                                     \
        return _mm_cvtss_f32(_mm_##suffix##_ss(two, _mm_movehdup_ps(two)));                                  \
    }
VEC_OVER_LANES(vf_sum, add)
VEC_OVER_LANES(vf_largest, max)
VEC_OVER_LANES(vf_smallest, min)
#undef VEC_OVER_LANES

INLINE vd vd_zero(void) { return (vd){_mm512_setzero_pd(), _mm512_setzero_pd()}; }
INLINE vd vd_add_product(vd sum, vf a, vf b) {
    __m512d a0 = _mm512_cvtps_pd(_mm512_castps512_ps256(a)), a1 = _mm512_cvtps_pd(_mm512_extractf32x8_ps(a, 1));
    __m512d b0 = _mm512_cvtps_pd(_mm512_castps512_ps256(b)), b1 = _mm512_cvtps_pd(_mm512_extractf32x8_ps(b, 1));
    return (vd){_mm512_fmadd_pd(a0, b0, sum.low), _mm512_fmadd_pd(a1, b1, sum.high)};
}
INLINE double vd_sum(vd v) {
    __m512d eight = _mm512_add_pd(v.low, v.high);
    __m256d four = _mm256_add_pd(_mm512_castpd512_pd256(eight), _mm512_extractf64x4_pd(eight, 1));
    __m128d two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
    return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
}

#endif
