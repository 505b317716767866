// The functions of vec_math.h for one lane, from the C library: the specification.
#ifndef VEC_MATH_H
#define VEC_MATH_H

#include <math.h>

INLINE vf vf_exp(vf x) { return expf(x); }
INLINE vf vf_exp_nonpositive(vf x) { return expf(x); }  // for x <= 0, or a little above
INLINE vf vf_log(vf x) { return logf(x); }
INLINE vf vf_sin(vf x) { return sinf(x); }
INLINE vf vf_cos(vf x) { return cosf(x); }
INLINE vf vf_tanh(vf x) { return tanhf(x); }
INLINE vf vf_pow(vf x, float p) { return powf(x, p); }
INLINE vf vf_sigmoid(vf x) { return 1 / (1 + expf(-x)); }
INLINE vf vf_softplus(vf x) { return vf_max(0, x) + log1pf(expf(-fabsf(x))); }

// sin^2 x, and (result) sin 2x: the two that snake and its gradient need.
INLINE vf vf_sin_squared(vf x, vf *sin_double) {
    float sine = sinf(x);
    *sin_double = 2 * sine * cosf(x);
    return sine * sine;
}

// The distribution of the normal law, and (result) its density.
INLINE vf vf_normal(vf x, vf *density) {
    *density = 0.398942280401f * expf(-0.5f * x * x);
    return 0.5f * erfcf(-0.707106781187f * x);
}

#endif
