// The vocabulary of the kernels with one lane: every function here says what the vector headers must do.
//
// `vf` is a vector of VW floats, `vi` and `vu` of VW 32-bit integers, `vm` a mask of VW lanes, `vd` an accumulator of
// VW doubles. + - * / & | ^ << >> are the operators of C (`>>` is logical for vu), and a scalar operand counts for
// every lane. `a * b + c` in one expression is one fused operation where the instruction set has it.
//
// Loads and stores take the number of lanes k, 1...VW: a constant VW costs nothing, fewer touch no other memory, and
// the lanes from k on read as 0.
#ifndef VEC_SCALAR_H
#define VEC_SCALAR_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

enum { VW = 1 };
typedef float vf;
typedef int32_t vi;
typedef uint32_t vu;
typedef int32_t vm;
typedef double vd;

// -- Making, loading, storing --------------------------------------------------------------------------------------
INLINE vf vf_set(float x) { return x; }
INLINE vi vi_set(int32_t x) { return x; }
INLINE vu vu_set(uint32_t x) { return x; }
INLINE vu vu_lane_numbers(void) { return 0; }  // 0, 1, 2, ...

INLINE vf vf_load(const float *p, size_t k) { return (void)k, *p; }
INLINE void vf_store(float *p, vf v, size_t k) { (void)k, *p = v; }
INLINE vi vi_load(const int32_t *p, size_t k) { return (void)k, *p; }
INLINE void vi_store(int32_t *p, vi v, size_t k) { (void)k, *p = v; }
INLINE vu vu_load_u8(const uint8_t *p, size_t k) { return (void)k, *p; }                 // widened
INLINE void vu_store_u8(uint8_t *p, vu v, size_t k) { (void)k, *p = (uint8_t)v; }        // values 0...255

INLINE vf vf_load_bf16(const uint16_t *p, size_t k) {
    (void)k;
    uint32_t bits = (uint32_t)*p << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

INLINE vf vf_load_f16(const uint16_t *p, size_t k) {
    (void)k;
    int exponent = *p >> 10 & 31;
    float magnitude = (float)(*p & 0x3ff);
    if (exponent == 31) magnitude = magnitude == 0 ? INFINITY : NAN;
    else if (exponent == 0) magnitude *= 0x1p-24f;
    else magnitude = ldexpf(magnitude + 1024, exponent - 25);
    return *p & 0x8000 ? -magnitude : magnitude;
}

// table[index], each lane its own.
INLINE vf vf_lookup(const float *table, vu index) { return table[index]; }

// p[4 l + w] = lane l of word w: four vectors, transposed.
INLINE void vu_store_interleaved(uint32_t *p, vu w0, vu w1, vu w2, vu w3) {
    p[0] = w0, p[1] = w1, p[2] = w2, p[3] = w3;
}

// -- Arithmetic ----------------------------------------------------------------------------------------------------
INLINE vf vf_fma(vf a, vf b, vf c) { return a * b + c; }
INLINE vf vf_min(vf a, vf b) { return a < b ? a : b; }  // b where either is NaN, as the processor's
INLINE vf vf_max(vf a, vf b) { return a > b ? a : b; }  // b where either is NaN
INLINE vf vf_sqrt(vf a) { return sqrtf(a); }
INLINE vf vf_abs(vf a) { return fabsf(a); }
INLINE vf vf_round(vf a) { return rintf(a); }  // to nearest, ties to even

// The product of unsigned 32-bit lanes: its low half, and *high.
INLINE vu vu_multiply_wide(vu a, vu b, vu *high) {
    uint64_t product = (uint64_t)a * b;
    *high = (uint32_t)(product >> 32);
    return (uint32_t)product;
}

// -- Conversion and bits ---------------------------------------------------------------------------------------------
INLINE vi vf_to_int(vf a) { return (int32_t)rintf(a); }  // to nearest; a within the range of int32_t
INLINE vf vi_to_float(vi a) { return (float)a; }
INLINE vi vf_bits(vf a) {
    int32_t bits;
    memcpy(&bits, &a, sizeof bits);
    return bits;
}
INLINE vf vi_as_float(vi a) {
    float value;
    memcpy(&value, &a, sizeof value);
    return value;
}

// -- Comparison and choice --------------------------------------------------------------------------------------------
INLINE vm vf_less(vf a, vf b) { return a < b; }         // false where either is NaN
INLINE vm vf_less_equal(vf a, vf b) { return a <= b; }  // false where either is NaN
INLINE vm vf_equal(vf a, vf b) { return a == b; }       // false where either is NaN
INLINE vm vf_is_nan(vf a) { return a != a; }
INLINE vm vi_equal(vi a, vi b) { return a == b; }
INLINE vm vi_less(vi a, vi b) { return a < b; }
INLINE vm vu_less(vu a, vu b) { return a < b; }
INLINE vm vm_and(vm a, vm b) { return a & b; }
INLINE vm vm_or(vm a, vm b) { return a | b; }
INLINE int vm_any(vm m) { return m != 0; }
INLINE unsigned vm_bits(vm m) { return m != 0; }  // bit l is lane l
INLINE vf vf_select(vm m, vf a, vf b) { return m ? a : b; }
INLINE vi vi_select(vm m, vi a, vi b) { return m ? a : b; }
INLINE vf vf_fill(vf v, size_t k, float x) { return (void)k, (void)x, v; }  // x in the lanes from k on

// -- Over lanes, always in the same order -----------------------------------------------------------------------------
INLINE float vf_sum(vf v) { return v; }
INLINE float vf_largest(vf v) { return v; }   // no NaN among them
INLINE float vf_smallest(vf v) { return v; }  // no NaN among them
INLINE vd vd_zero(void) { return 0; }
INLINE vd vd_add_product(vd sum, vf a, vf b) { return sum + (double)a * b; }
INLINE double vd_sum(vd v) { return v; }

#endif
