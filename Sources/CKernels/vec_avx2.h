// The vocabulary of the kernels with the 8 lanes of AVX2, FMA and F16C; vec_scalar.h documents it.
#ifndef VEC_AVX2_H
#define VEC_AVX2_H

#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

enum { VW = 8 };
typedef float vf __attribute__((vector_size(32)));
typedef int32_t vi __attribute__((vector_size(32)));
typedef uint32_t vu __attribute__((vector_size(32)));
typedef int32_t vm __attribute__((vector_size(32)));  // all bits of a lane are set or clear
typedef struct { __m256d low, high; } vd;

// -- Making, loading, storing --------------------------------------------------------------------------------------
INLINE vf vf_set(float x) { return _mm256_set1_ps(x); }
INLINE vi vi_set(int32_t x) { return (vi)_mm256_set1_epi32(x); }
INLINE vu vu_set(uint32_t x) { return (vu)_mm256_set1_epi32((int32_t)x); }
INLINE vu vu_lane_numbers(void) { return (vu)_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7); }

// The lanes below k.
INLINE vm vm_first(size_t k) {
    return (vm)_mm256_cmpgt_epi32(_mm256_set1_epi32((int32_t)k), (__m256i)vu_lane_numbers());
}

// A masked load is quick, but a masked store is not on every processor: it is made of the powers of two in k.
INLINE __m256i v_load(const void *p, size_t k) {
    return k == VW ? _mm256_loadu_si256(p) : _mm256_maskload_epi32(p, (__m256i)vm_first(k));
}
INLINE void v_store(void *p, __m256i v, size_t k) {
    if (k == VW) {
        _mm256_storeu_si256(p, v);
        return;
    }
    uint32_t *q = p;
    __m128i part = _mm256_castsi256_si128(v);
    if (k & 4) {
        _mm_storeu_si128((__m128i *)q, part);
        part = _mm256_extracti128_si256(v, 1), q += 4;
    }
    if (k & 2) {
        _mm_storeu_si64(q, part);
        part = _mm_unpackhi_epi64(part, part), q += 2;
    }
    if (k & 1) _mm_storeu_si32(q, part);
}
INLINE vf vf_load(const float *p, size_t k) { return (vf)v_load(p, k); }
INLINE void vf_store(float *p, vf v, size_t k) { v_store(p, (__m256i)v, k); }
INLINE vi vi_load(const int32_t *p, size_t k) { return (vi)v_load(p, k); }
INLINE void vi_store(int32_t *p, vi v, size_t k) { v_store(p, (__m256i)v, k); }

// Bytes and halves have no masked loads: what is missing goes through the stack.
INLINE vu vu_load_u8(const uint8_t *p, size_t k) {
    uint64_t bytes = 0;
    memcpy(&bytes, p, k);
    return (vu)_mm256_cvtepu8_epi32(_mm_cvtsi64_si128((int64_t)bytes));
}
INLINE void vu_store_u8(uint8_t *p, vu v, size_t k) {
    __m128i words = _mm_packus_epi32(_mm256_castsi256_si128((__m256i)v), _mm256_extracti128_si256((__m256i)v, 1));
    uint64_t bytes = (uint64_t)_mm_cvtsi128_si64(_mm_packus_epi16(words, words));
    memcpy(p, &bytes, k);
}
INLINE __m128i v_load_halves(const uint16_t *p, size_t k) {
    if (k == VW) return _mm_loadu_si128((const __m128i *)p);
    uint16_t halves[VW] = {0};
    memcpy(halves, p, k * sizeof *p);
    return _mm_loadu_si128((const __m128i *)halves);
}
INLINE vf vf_load_bf16(const uint16_t *p, size_t k) {
    return (vf)_mm256_slli_epi32(_mm256_cvtepu16_epi32(v_load_halves(p, k)), 16);
}
INLINE vf vf_load_f16(const uint16_t *p, size_t k) { return _mm256_cvtph_ps(v_load_halves(p, k)); }

INLINE vf vf_lookup(const float *table, vu index) { return _mm256_i32gather_ps(table, (__m256i)index, 4); }

INLINE void vu_store_interleaved(uint32_t *p, vu w0, vu w1, vu w2, vu w3) {
    // Pairs of words, then quads of words, of lanes 0, 1, 2, 3 and (upper half) 4, 5, 6, 7.
    __m256i a = _mm256_unpacklo_epi32((__m256i)w0, (__m256i)w1), b = _mm256_unpackhi_epi32((__m256i)w0, (__m256i)w1);
    __m256i c = _mm256_unpacklo_epi32((__m256i)w2, (__m256i)w3), d = _mm256_unpackhi_epi32((__m256i)w2, (__m256i)w3);
    __m256i l0 = _mm256_unpacklo_epi64(a, c), l1 = _mm256_unpackhi_epi64(a, c);
    __m256i l2 = _mm256_unpacklo_epi64(b, d), l3 = _mm256_unpackhi_epi64(b, d);
    __m256i *q = (__m256i *)p;
    _mm256_storeu_si256(q, _mm256_permute2x128_si256(l0, l1, 0x20));
    _mm256_storeu_si256(q + 1, _mm256_permute2x128_si256(l2, l3, 0x20));
    _mm256_storeu_si256(q + 2, _mm256_permute2x128_si256(l0, l1, 0x31));
    _mm256_storeu_si256(q + 3, _mm256_permute2x128_si256(l2, l3, 0x31));
}

// -- Arithmetic ----------------------------------------------------------------------------------------------------
INLINE vf vf_fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }
INLINE vf vf_min(vf a, vf b) { return _mm256_min_ps(a, b); }
INLINE vf vf_max(vf a, vf b) { return _mm256_max_ps(a, b); }
INLINE vf vf_sqrt(vf a) { return _mm256_sqrt_ps(a); }
INLINE vf vf_abs(vf a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
INLINE vf vf_round(vf a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }

INLINE vu vu_multiply_wide(vu a, vu b, vu *high) {
    __m256i even = _mm256_mul_epu32((__m256i)a, (__m256i)b);
    __m256i odd = _mm256_mul_epu32(_mm256_srli_epi64((__m256i)a, 32), _mm256_srli_epi64((__m256i)b, 32));
    *high = (vu)_mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xaa);
    return (vu)_mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xaa);
}

// -- Conversion and bits ---------------------------------------------------------------------------------------------
INLINE vi vf_to_int(vf a) { return (vi)_mm256_cvtps_epi32(a); }
INLINE vf vi_to_float(vi a) { return _mm256_cvtepi32_ps((__m256i)a); }
INLINE vi vf_bits(vf a) { return (vi)a; }
INLINE vf vi_as_float(vi a) { return (vf)a; }

// -- Comparison and choice --------------------------------------------------------------------------------------------
INLINE vm vf_less(vf a, vf b) { return (vm)_mm256_cmp_ps(a, b, _CMP_LT_OQ); }
INLINE vm vf_less_equal(vf a, vf b) { return (vm)_mm256_cmp_ps(a, b, _CMP_LE_OQ); }
INLINE vm vf_equal(vf a, vf b) { return (vm)_mm256_cmp_ps(a, b, _CMP_EQ_OQ); }
INLINE vm vf_is_nan(vf a) { return (vm)_mm256_cmp_ps(a, a, _CMP_UNORD_Q); }
INLINE vm vi_equal(vi a, vi b) { return (vm)_mm256_cmpeq_epi32((__m256i)a, (__m256i)b); }
INLINE vm vi_less(vi a, vi b) { return (vm)_mm256_cmpgt_epi32((__m256i)b, (__m256i)a); }
INLINE vm vu_less(vu a, vu b) { return vi_less((vi)(a ^ 0x80000000u), (vi)(b ^ 0x80000000u)); }
INLINE vm vm_and(vm a, vm b) { return a & b; }
INLINE vm vm_or(vm a, vm b) { return a | b; }
INLINE unsigned vm_bits(vm m) { return (unsigned)_mm256_movemask_ps((__m256)m); }
INLINE int vm_any(vm m) { return vm_bits(m) != 0; }
INLINE vf vf_select(vm m, vf a, vf b) { return _mm256_blendv_ps(b, a, (__m256)m); }
INLINE vi vi_select(vm m, vi a, vi b) { return (vi)vf_select(m, (vf)a, (vf)b); }
INLINE vf vf_fill(vf v, size_t k, float x) { return k == VW ? v : vf_select(vm_first(k), v, vf_set(x)); }

// -- Over lanes, always in the same order -----------------------------------------------------------------------------
#define VEC_OVER_LANES(name, combine)                                                                   \
    INLINE float name(vf v) {                                                                           \
        __m128 four = combine##_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));             \
        __m128 two = combine##_ps(four, _mm_movehl_ps(four, four));                                     \
        return _mm_cvtss_f32(combine##_ss(two, _mm_movehdup_ps(two)));                                  \
    }
VEC_OVER_LANES(vf_sum, _mm_add)
VEC_OVER_LANES(vf_largest, _mm_max)
VEC_OVER_LANES(vf_smallest, _mm_min)
#undef VEC_OVER_LANES

INLINE vd vd_zero(void) { return (vd){_mm256_setzero_pd(), _mm256_setzero_pd()}; }
INLINE vd vd_add_product(vd sum, vf a, vf b) {
    __m256d a0 = _mm256_cvtps_pd(_mm256_castps256_ps128(a)), a1 = _mm256_cvtps_pd(_mm256_extractf128_ps(a, 1));
    __m256d b0 = _mm256_cvtps_pd(_mm256_castps256_ps128(b)), b1 = _mm256_cvtps_pd(_mm256_extractf128_ps(b, 1));
    return (vd){_mm256_fmadd_pd(a0, b0, sum.low), _mm256_fmadd_pd(a1, b1, sum.high)};
}
INLINE double vd_sum(vd v) {
    __m256d four = _mm256_add_pd(v.low, v.high);
    __m128d two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
    return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
}

#endif
