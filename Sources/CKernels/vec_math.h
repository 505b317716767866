// exp and its kin for vectors: within a few units in the last place, right at zeros, infinities and NaN.
//
// The polynomials are minimax fits in the relative error (weighted least squares, iterated after Lawson), their
// coefficients rounded to float; the comments give the interval and what is fitted. Arguments are reduced after Cody
// and Waite with constants in parts, every product exact within a fused operation.
#ifndef VEC_MATH_H
#define VEC_MATH_H

#define POLY2(x, c0, c1, c2) ((c0) + (x) * ((c1) + (x) * vf_set(c2)))
#define POLY3(x, c0, ...) ((c0) + (x) * POLY2(x, __VA_ARGS__))
#define POLY4(x, c0, ...) ((c0) + (x) * POLY3(x, __VA_ARGS__))
#define POLY5(x, c0, ...) ((c0) + (x) * POLY4(x, __VA_ARGS__))
#define POLY6(x, c0, ...) ((c0) + (x) * POLY5(x, __VA_ARGS__))
#define POLY7(x, c0, ...) ((c0) + (x) * POLY6(x, __VA_ARGS__))
#define POLY8(x, c0, ...) ((c0) + (x) * POLY7(x, __VA_ARGS__))

INLINE vf vf_copy_sign(vf magnitude, vf sign) {
    const int32_t bit = INT32_MIN;
    return vi_as_float((vf_bits(magnitude) & ~bit) | (vf_bits(sign) & bit));
}

// x with the lanes of `where` replaced by f of the lane: for the few arguments that a polynomial cannot serve.
static __attribute__((noinline)) vf vf_replace(vf y, vf x, vm where, float (*f)(float)) {
    float from[VW], to[VW];
    vf_store(from, x, VW);
    vf_store(to, y, VW);
    for (unsigned lanes = vm_bits(where); lanes != 0; lanes &= lanes - 1) {
        int lane = __builtin_ctz(lanes);
        to[lane] = f(from[lane]);
    }
    return vf_load(to, VW);
}

// e^x = 2^n e^r with |r| <= ln 2 / 2.
INLINE vf vf_exp(vf x) {
    x = vf_min(vf_set(89), vf_max(vf_set(-104), x));  // NaN passes: it is the second operand
    vf n = vf_round(x * 1.44269504f);
    vf r = vf_fma(n, vf_set(1.90465421e-09f), vf_fma(n, vf_set(-0.693147182f), x));
    // (e^r - 1 - r) / r^2 on [-ln 2 / 2, ln 2 / 2]
    vf tail = POLY4(r, 0.49999994f, 0.166665211f, 0.041668389f, 0.00836871006f, 0.00138146104f);
    vf y = 1 + (r + r * r * tail);
    // 2^n in two factors, so that n may be outside the range of exponents.
    vi whole = vf_to_int(n), half = whole >> 1;
    return y * vi_as_float((half + 127) << 23) * vi_as_float((whole - half + 127) << 23);
}

// e^x for x <= 0 (or a little above), without what large results need; what would be denormal is 0. One term less
// than vf_exp: the error is 1e-7 of the value.
INLINE vf vf_exp_nonpositive(vf x) {
    // Adding 1.5 2^23 rounds to a whole number, which is then in the low bits.
    vf shifted = vf_fma(x, vf_set(1.44269504f), vf_set(0x1.8p23f)), n = shifted - 0x1.8p23f;
    vf r = vf_fma(n, vf_set(1.90465421e-09f), vf_fma(n, vf_set(-0.693147182f), x));
    vf tail = POLY3(r, 0.499992311f, 0.166671142f, 0.0418901145f, 0.00831252709f);
    vf y = 1 + (r + r * r * tail);
    y = vi_as_float(vf_bits(y) + (vf_bits(shifted) << 23));
    return vf_select(vf_less(x, vf_set(-87.33f)), vf_set(0), y);
}

// log x = e ln 2 + log(1 + f) with 1 + f in [sqrt 1/2, sqrt 2].
INLINE vf vf_log(vf x) {
    vm tiny = vf_less(x, vf_set(0x1p-126f));
    vi bits = vf_bits(vf_select(tiny, x * 0x1p23f, x));
    vi e = (bits - 0x3f3504f3) >> 23;
    vf f = vi_as_float(bits - (e << 23)) - 1;
    vf exponent = vi_to_float(e) - vf_select(tiny, vf_set(23), vf_set(0));
    // (log(1 + f) - f + f^2 / 2) / f^3 on [sqrt 1/2 - 1, sqrt 2 - 1]
    vf tail = POLY8(f, 0.333333135f, -0.250000089f, 0.200021192f, -0.166679963f, 0.142195508f, -0.124055915f,
                    0.118881747f, -0.116756409f, 0.0674660131f);
    vf square = f * f;
    vf low = vf_fma(exponent, vf_set(-1.90465421e-09f), square * f * tail) - 0.5f * square;
    vf y = vf_fma(exponent, vf_set(0.693147182f), f + low);
    y = vf_select(vf_less(x, vf_set(INFINITY)), y, x);  // infinity, and NaN
    y = vf_select(vf_less(x, vf_set(0)), vf_set(NAN), y);
    return vf_select(vf_equal(x, vf_set(0)), vf_set(-INFINITY), y);
}

// Beyond this, or for NaN, the reduction by multiples of pi is the library's.
#define VEC_TRIGONOMETRIC_LIMIT 1e5f

// x - n pi / 2, for the whole n nearest to x 2 / pi (result).
INLINE vf vf_reduce_half_pi(vf x, vi *n) {
    vf turns = vf_round(x * 0.636619772f);
    *n = vf_to_int(turns);
    vf r = vf_fma(turns, vf_set(-1.57079637f), x);
    r = vf_fma(turns, vf_set(4.37113883e-08f), r);
    return vf_fma(turns, vf_set(1.71512451e-15f), r);
}

// sin of the angle r + quadrant pi / 2, |r| <= pi / 4.
INLINE vf vf_sin_quadrant(vf r, vi quadrant) {
    vf z = r * r;
    // (sin r - r) / r^3 and (cos r - 1 + r^2 / 2) / r^4 in z = r^2 on [0, pi^2 / 16]
    vf sine = r + r * z * POLY2(z, -0.166666552f, 0.0083321603f, -0.000195152825f);
    vf cosine = 1 - (0.5f * z - z * z * POLY2(z, 0.0416666456f, -0.00138873677f, 2.44384501e-05f));
    vf y = vf_select(vi_equal(quadrant & 1, vi_set(0)), sine, cosine);
    return vi_as_float(vf_bits(y) ^ ((quadrant & 2) << 30));
}

INLINE vm vf_is_far(vf x) {
    return vm_or(vf_less(vf_set(VEC_TRIGONOMETRIC_LIMIT), vf_abs(x)), vf_is_nan(x));
}

INLINE vf vf_sin(vf x) {
    vi n;
    vf r = vf_reduce_half_pi(x, &n);
    vf y = vf_sin_quadrant(r, n);
    vm far = vf_is_far(x);
    return __builtin_expect(vm_any(far), 0) ? vf_replace(y, x, far, sinf) : y;
}

INLINE vf vf_cos(vf x) {
    vi n;
    vf r = vf_reduce_half_pi(x, &n);
    vf y = vf_sin_quadrant(r, n + 1);
    vm far = vf_is_far(x);
    return __builtin_expect(vm_any(far), 0) ? vf_replace(y, x, far, cosf) : y;
}

static float sin_squared_of(float x) { return sinf(x) * sinf(x); }
static float sin_double_of(float x) { return 2 * sinf(x) * cosf(x); }

// sin^2 x, and (result) sin 2x. Both have the period pi, so that no quadrant needs to be told from another.
INLINE vf vf_sin_squared(vf x, vf *sin_double) {
    vf turns = vf_round(x * 0.318309886f);
    vf r = vf_fma(turns, vf_set(-3.14159274f), x);
    r = vf_fma(turns, vf_set(8.74227766e-08f), r);
    r = vf_fma(turns, vf_set(3.43024902e-15f), r);
    vf z = r * r;
    // (sin r - r) / r^3 and (cos r - 1 + r^2 / 2) / r^4 in z = r^2 on [0, pi^2 / 4]
    vf sine = r + r * z * POLY3(z, -0.166666597f, 0.00833306648f, -0.000198095964f, 2.6057653e-06f);
    vf cosine = 1 - (0.5f * z - z * z * POLY3(z, 0.0416666567f, -0.00138885691f, 2.47692969e-05f, -2.61936776e-07f));
    vf square = sine * sine;
    *sin_double = 2 * sine * cosine;
    vm far = vf_is_far(x);
    if (__builtin_expect(vm_any(far), 0)) {
        square = vf_replace(square, x, far, sin_squared_of);
        *sin_double = vf_replace(*sin_double, x, far, sin_double_of);
    }
    return square;
}

INLINE vf vf_tanh(vf x) {
    vf a = vf_abs(x), z = x * x;
    vf e = vf_exp_nonpositive(-2 * a), far = (1 - e) / (1 + e);
    // (tanh x - x) / x^3 in z = x^2 on [0, 0.625^2]
    vf near = x + x * z * POLY4(z, -0.333332807f, 0.133314416f, -0.0537397116f, 0.0206390787f, -0.00570497848f);
    return vf_select(vf_less(a, vf_set(0.625f)), near, vf_copy_sign(far, x));
}

INLINE vf vf_sigmoid(vf x) { return 1 / (1 + vf_exp(-x)); }

// log(1 + e^x) = max(x, 0) + log(1 + u), u = e^-|x|; log(1 + u) = 2 artanh(u / (2 + u)).
INLINE vf vf_softplus(vf x) {
    vf u = vf_exp_nonpositive(-vf_abs(x));
    vf s = u / (2 + u), z = s * s;
    // (2 artanh s - 2 s) / s^3 in z = s^2 on [0, 1/9]
    vf tail = POLY4(z, 0.666666746f, 0.39998889f, 0.286165982f, 0.214307398f, 0.242895618f);
    return vf_max(vf_set(0), x) + (2 * s + s * z * tail);
}

// The distribution of the normal law, and (result) its density: one exponential serves both, and the lower tail keeps
// its relative precision. With t = |x| the lower tail is e^(-t^2 / 2) s P(s), s = 1 / (1 + 0.304 t).
INLINE vf vf_normal(vf x, vf *density) {
    vf t = vf_abs(x), s = 1 / (1 + 0.304f * t), z = s * s;
    vf bell = vf_exp_nonpositive(-0.5f * t * t);
    // erfc(t / sqrt 2) e^(t^2 / 2) / (2 s) in s for t on [0, 13.2]: even and odd powers in two chains
    vf even = POLY3(z, 0.121234611f, 0.102416202f, -0.0431687981f, -0.155323565f);
    vf odd = POLY3(z, 0.122171782f, 0.123574235f, 0.192231104f, 0.036864467f);
    vf tail = bell * s * (even + s * odd);
    *density = 0.398942280401f * bell;
    return vf_select(vf_less(vf_set(0), x), 1 - tail, tail);
}

// Squares and reciprocals are what powers mostly are; the rest is left to the library, lane by lane.
INLINE vf vf_pow(vf x, float p) {
    if (p == 2) return x * x;
    if (p == 1) return x;
    if (p == -1) return 1 / x;
    float lanes[VW];
    vf_store(lanes, x, VW);
    for (int lane = 0; lane < VW; lane++) lanes[lane] = powf(lanes[lane], p);
    return vf_load(lanes, VW);
}

#undef POLY2
#undef POLY3
#undef POLY4
#undef POLY5
#undef POLY6
#undef POLY7
#undef POLY8

#endif
