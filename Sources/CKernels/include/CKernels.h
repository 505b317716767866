// The SIMD kernels of TortoiseCore.
//
// Every kernel works on one thread and on plain pointers; splitting work over threads and checking shapes is the
// caller's business (Sources/TortoiseCore/Kernels). No kernel needs aligned pointers, allocates, or keeps state.
// Output may be the same pointer as an input where a comment says "in place", otherwise they must not overlap.
//
// One table of function pointers per instruction set. The scalar table is the specification: plain loops over libm.
// The others may sum in another order and use polynomials for exp and its kin, within the tolerances of the tests.
// The value of one output element never depends on how a caller split the work.
#ifndef CKERNELS_H
#define CKERNELS_H

#include <stddef.h>
#include <stdint.h>

typedef enum tk_isa { TK_SCALAR = 0, TK_AVX2 = 1, TK_AVX512 = 2, TK_AMX = 3 } tk_isa;

// Element-wise functions of one input. `p` and `q` are the parameters of those that have them.
// The comment says what the gradient kernel wants as `saved`: the input x or the output y.
typedef enum tk_unary {
    TK_NEGATE,      // y  (not read)
    TK_ABS,         // x
    TK_EXP,         // y
    TK_LOG,         // x
    TK_SQRT,        // y
    TK_RSQRT,       // y
    TK_RECIPROCAL,  // y
    TK_SQUARE,      // x
    TK_SIN,         // x
    TK_COS,         // x
    TK_TANH,        // y
    TK_SIGMOID,     // y
    TK_SOFTPLUS,    // x   log(1 + e^x), without overflow
    TK_RELU,        // y
    TK_LEAKY_RELU,  // x   slope p for x < 0
    TK_CLAMP,       // x   to [p, q]; the gradient passes where p <= x <= q
    TK_POW,         // x   x^p; integral p of any sign takes negative x, as powf does
    TK_GELU_TANH,   // x   0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))
    TK_GELU_ERF,    // x   0.5 x (1 + erf(x / sqrt 2))
    TK_SILU,        // x   x sigmoid(x)
    TK_AFFINE,      // y (not read)   p x + q
    TK_UNARY_COUNT
} tk_unary;

typedef enum tk_binary { TK_ADD, TK_SUBTRACT, TK_MULTIPLY, TK_DIVIDE, TK_MAXIMUM, TK_MINIMUM, TK_BINARY_COUNT } tk_binary;
typedef enum tk_reduction { TK_SUM, TK_MAX, TK_MIN, TK_SUM_SQUARES, TK_REDUCTION_COUNT } tk_reduction;

enum { TK_MAX_RANK = 8 };

// A loop nest over broadcast operands: extents with the innermost last, and a stride in elements per operand.
typedef struct tk_nest {
    int32_t rank;  // 1...TK_MAX_RANK
    size_t extent[TK_MAX_RANK];
    ptrdiff_t a[TK_MAX_RANK];
    ptrdiff_t b[TK_MAX_RANK];
} tk_nest;

typedef struct tk_adam {
    double learning_rate, beta1, beta2, epsilon, weight_decay;
    double correction1, correction2;  // 1 - beta1^t, 1 - beta2^t
    float gradient_scale;             // multiplied into the gradient first (clipping, accumulation)
    int32_t decoupled;                // 1: AdamW (decay shrinks the weight), 0: Adam (decay joins the gradient)
} tk_adam;

typedef struct tk_prodigy {
    float gradient_scale, decay;  // g' = gradient_scale g + decay w
    float keep1, take1;           // m = keep1 m + take1 g'
    float keep2, take2;           // v = keep2 v + take2 g'^2
    float keep3, take3;           // s = keep3 s + take3 g'
} tk_prodigy;

// A discrete Fourier transform of any size; `roots` are e^(-2 pi i j / size) as pairs of real and imaginary part.
typedef struct tk_fourier {
    size_t size;
    const float *roots;
    const int32_t *radices;  // factors of the size, then 0
    const float *window;     // `size` weights of the samples of a frame
} tk_fourier;

enum { TK_CONVOLUTION_ROWS = 6 };    // rows of outputs whose weights lie together
enum { TK_FOURIER_SCRATCH = 64 };    // floats of scratch per point of a transform
enum { TK_ADAM8_BLOCK = 256 };  // elements that share one scale in 8-bit optimizer state
enum { TK_INT8_BLOCK = 32 };    // weights along K that share one scale
enum { TK_INT4_BLOCK = 32 };
enum { TK_INPUT_GROUP = 256 };  // inputs of packed weights that share one scale; a multiple of the blocks

typedef struct tk_table {
    const char *name;  // "scalar", "avx2", "avx512"

    // -- Element-wise ------------------------------------------------------------------------------------------
    void (*unary)(tk_unary op, float *y, const float *x, size_t n, float p, float q);                    // in place
    // dx = dy * f'(.), in place in dy.
    void (*unary_gradient)(tk_unary op, float *dx, const float *saved, const float *dy, size_t n, float p, float q);
    // y (dense, in the nest's order) = a op b, for rows [begin, end) of the flattened outer extents
    // (all but the innermost); y points at the start of the whole result. In place when a or b is dense too.
    void (*binary)(tk_binary op, float *y, const float *a, const float *b, const tk_nest *nest, size_t begin, size_t end);
    void (*accumulate)(float *y, const float *x, size_t n, float scale);               // y += scale x
    void (*lerp)(float *y, const float *x, size_t n, float t);                         // y += t (x - y)
    // y[i] = keep ? x[i] * scale : 0 with keep when the i-th number of the Philox4x32-10 stream (key, counter words 0..1
    // = (first + i) / 4, lane (first + i) % 4, counter words 2..3 = stream) is at least `threshold`. In place.
    void (*dropout)(float *y, const float *x, size_t n, uint64_t key, uint64_t stream, uint64_t first, uint32_t threshold,
                    float scale);

    // -- Moving ------------------------------------------------------------------------------------------------
    // y = x (copy) over a loop nest whose `a` strides are y's and `b` strides are x's; element size 1, 2, 4 or 8 bytes.
    // Transposes of any kind are blocked so that both sides stay within the cache.
    void (*copy)(void *y, const void *x, size_t element_size, const tk_nest *nest);
    void (*gather_rows)(float *y, const float *table, const int32_t *index, size_t rows, size_t n);  // dense rows of n
    // table[index[r]] += x[r] over n columns; rows in order, so that equal indices sum deterministically.
    void (*scatter_add_rows)(float *table, size_t table_stride, const float *x, size_t x_stride, const int32_t *index,
                             size_t rows, size_t n);

    // -- Reductions ---------------------------------------------------------------------------------------------
    void (*reduce_rows)(tk_reduction op, float *y, const float *x, size_t rows, size_t n);  // over the dense last axis
    // y[j] = reduction over i of x[i * stride + j], j < columns. Sums use blocks, so error grows slowly with n;
    // the largest and the smallest are NaN where one value is.
    void (*reduce_columns)(tk_reduction op, float *y, const float *x, size_t n, size_t columns, size_t stride);
    void (*argmax_rows)(int32_t *y, const float *x, size_t rows, size_t n);             // first of equals
    double (*sum_squares)(const float *x, size_t n);                                    // accumulated in double
    double (*dot)(const float *a, const float *b, size_t n);                            // accumulated in double

    // -- Softmax and losses (rows of n, dense) ------------------------------------------------------------------
    void (*softmax_rows)(float *y, const float *x, size_t rows, size_t n);                           // in place
    void (*softmax_gradient_rows)(float *dx, const float *y, const float *dy, size_t rows, size_t n);     // in place in dy
    void (*log_softmax_rows)(float *y, const float *x, size_t rows, size_t n);                       // in place
    void (*log_softmax_gradient_rows)(float *dx, const float *y, const float *dy, size_t rows, size_t n); // in place in dy
    // loss[r] = cross entropy of row r against target[r] with label smoothing, 0 where target[r] == ignore;
    // lse[r] = log sum exp of the row.
    void (*cross_entropy_rows)(float *loss, float *lse, const float *logits, const int32_t *target, size_t rows, size_t n,
                               int32_t ignore, float smoothing);
    // dx[r] = row_scale[r] * d loss[r] / d logits[r]; in place in logits.
    void (*cross_entropy_gradient_rows)(float *dx, const float *logits, const float *lse, const int32_t *target,
                                        const float *row_scale, size_t rows, size_t n, int32_t ignore, float smoothing);

    // -- Norms (gamma and beta may be NULL, and so may mean and rstd where they are results) ---------------------
    void (*layer_norm_rows)(float *y, float *mean, float *rstd, const float *x, const float *gamma, const float *beta,
                            size_t rows, size_t n, float epsilon);                                   // in place
    // dgamma and dbeta (NULL, or one value for each of gamma and beta) are added to, here and below.
    void (*layer_norm_gradient_rows)(float *dx, float *dgamma, float *dbeta, const float *dy, const float *x,
                                     const float *mean, const float *rstd, const float *gamma, size_t rows, size_t n);
    void (*rms_norm_rows)(float *y, float *rstd, const float *x, const float *gamma, size_t rows, size_t n, float epsilon);
    void (*rms_norm_gradient_rows)(float *dx, float *dgamma, const float *dy, const float *x, const float *rstd,
                                   const float *gamma, size_t rows, size_t n);
    // One group: x is [channels, length] dense, statistics over all of it, gamma and beta one per channel.
    // silu != 0 applies SiLU to the result (and the gradient kernel undoes it from the recomputed pre-activation).
    void (*group_norm)(float *y, float *mean, float *rstd, const float *x, const float *gamma, const float *beta,
                       size_t channels, size_t length, float epsilon, int32_t silu);
    void (*group_norm_gradient)(float *dx, float *dgamma, float *dbeta, const float *dy, const float *x, float mean,
                                float rstd, const float *gamma, const float *beta, size_t channels, size_t length,
                                int32_t silu);

    // -- Snake: y = x + inverse_beta sin^2(alpha x), one channel of n samples -------------------------------------
    void (*snake)(float *y, const float *x, size_t n, float alpha, float inverse_beta);              // in place
    // *dalpha and *dinverse_beta are set to the sums over the channel.
    void (*snake_gradient)(float *dx, float *dalpha, float *dinverse_beta, const float *dy, const float *x, size_t n,
                           float alpha, float inverse_beta);

    // -- Convolution ----------------------------------------------------------------------------------------------
    // y[r, t] = start[r] + sum_j w[j, r] x[offset[j] + t] for r < rows (1...TK_CONVOLUTION_ROWS) and t < n;
    // w is [taps, TK_CONVOLUTION_ROWS], its columns from `rows` on are not used; start NULL: the sum is added to y.
    void (*convolve_panel)(float *y, size_t y_stride, const float *x, const int32_t *offset, const float *w, size_t taps,
                           const float *start, size_t rows, size_t n);
    // dw[r, j] += sum_t dy[r, t] x[offset[j] + t], any number of rows.
    void (*convolve_weight_gradient)(float *dw, size_t dw_stride, const float *dy, size_t dy_stride, const float *x,
                                     const int32_t *offset, size_t taps, size_t rows, size_t n);

    // -- Short-time Fourier transform -----------------------------------------------------------------------------
    // Bin b of frame f, windowed samples from x[f hop] on, goes to re and im [b * stride + f], b = 0...size / 2.
    // scratch: TK_FOURIER_SCRATCH * size floats.
    void (*fourier_frames)(float *re, float *im, size_t stride, const float *x, size_t hop, size_t frames,
                           const tk_fourier *plan, float *scratch);
    // The transpose: adds the gradient of the samples to dx, (frames - 1) hop + size of them.
    void (*fourier_frames_gradient)(float *dx, const float *dre, const float *dim, size_t stride, size_t hop,
                                    size_t frames, const tk_fourier *plan, float *scratch);
    void (*magnitude)(float *y, const float *re, const float *im, size_t n, int32_t squared);    // |re + i im|, or its square
    // re and im become the gradients with respect to themselves; 0 where both are 0.
    void (*magnitude_gradient)(float *re, float *im, const float *dy, size_t n, int32_t squared);

    // -- Optimizers ----------------------------------------------------------------------------------------------
    void (*adam_step)(float *w, const float *g, float *m, float *v, size_t n, const tk_adam *settings);
    // State quantised blockwise: codes index the 256-entry maps, which ascend within [-1, 1], and one absmax scale
    // belongs to TK_ADAM8_BLOCK elements.
    void (*adam8_step)(float *w, const float *g, uint8_t *m, float *m_scale, uint8_t *v, float *v_scale,
                       const float *signed_map, const float *unsigned_map, size_t n, const tk_adam *settings);
    void (*sgd_step)(float *w, const float *g, float *momentum_or_null, size_t n, float learning_rate, float momentum,
                     float dampening, float weight_decay, float gradient_scale, int32_t nesterov, int32_t first_step);
    void (*prodigy_moments)(float *m, float *v, const float *w, const float *g, size_t n, const tk_prodigy *settings);
    // Updates s and sets sums to { g' . (start - w), |s| }; s and start hold n values, for every stride-th w and g.
    void (*prodigy_distance)(double sums[2], float *s, const float *start, const float *w, const float *g, size_t n,
                             size_t stride, const tk_prodigy *settings);
    // w = shrink w - rate m / (sqrt(v) + epsilon)
    void (*prodigy_step)(float *w, const float *m, const float *v, size_t n, float shrink, float rate, float epsilon);

    // -- Conversion (round to nearest even; NaN stays NaN) --------------------------------------------------------
    void (*float_to_bfloat16)(uint16_t *y, const float *x, size_t n);
    void (*bfloat16_to_float)(float *y, const uint16_t *x, size_t n);
    void (*float_to_float16)(uint16_t *y, const float *x, size_t n);
    void (*float16_to_float)(float *y, const uint16_t *x, size_t n);
    // Blockwise symmetric: scale = absmax / 127 (int8) or / 7 (int4, two per byte, low nibble first, stored + 8) per
    // block of 32 along a row; the last block of a row may be short. n rows of k; scales [rows, ceil(k / block)].
    void (*quantize_int8)(int8_t *q, float *scales, const float *x, size_t rows, size_t k);
    void (*dequantize_int8)(float *y, const int8_t *q, const float *scales, size_t rows, size_t k);
    void (*quantize_int4)(uint8_t *q, float *scales, const float *x, size_t rows, size_t k);         // ceil(k / 2) bytes a row
    void (*dequantize_int4)(float *y, const uint8_t *q, const float *scales, size_t rows, size_t k);

    // -- Linear with few rows: y[r, j] = bias[j] + sum_k x[r, k] w[j, k] ------------------------------------------
    // w is [n, k] dense; m rows of x and y with their own strides; bias NULL or n values. Any m (fast for 1...16);
    // a row's result is the same bits whatever the other rows and m are.
    void (*linear_float)(float *y, size_t y_stride, const float *x, size_t x_stride, const float *w, const float *bias,
                         size_t m, size_t n, size_t k);
    void (*linear_bfloat16)(float *y, size_t y_stride, const float *x, size_t x_stride, const uint16_t *w,
                            const float *bias, size_t m, size_t n, size_t k);
    // Packed weights take packed inputs, as quantize_inputs makes them.
    void (*linear_int8)(float *y, size_t y_stride, const int16_t *x, const float *x_scales, const int8_t *w,
                        const float *scales, const float *bias, size_t m, size_t n, size_t k);
    void (*linear_int4)(float *y, size_t y_stride, const int16_t *x, const float *x_scales, const uint8_t *w,
                        const float *scales, const float *bias, size_t m, size_t n, size_t k);
    // x = scale q with scale = absmax / 32767 for every TK_INPUT_GROUP columns of a row. Rows of q are padded with 0 to a
    // multiple of TK_INT8_BLOCK columns; scales [m, ceil(k / TK_INPUT_GROUP)]. A group with NaN or infinity in it makes
    // products NaN.
    void (*quantize_inputs)(int16_t *q, float *scales, const float *x, size_t x_stride, size_t m, size_t k);

    // -- Attention -------------------------------------------------------------------------------------------------
    // One query against a cache: y[d] = softmax_t(scale q . k[t] + bias[t]) v[t]; scratch holds `length` floats.
    void (*attend_one)(float *y, const float *q, const float *k, size_t k_stride, const float *v, size_t v_stride,
                       size_t length, size_t width, float scale, const float *bias, float *scratch);
    // One tile of exact online softmax. s [rows, columns] holds q . k and becomes exp(scale s + bias - new maximum); row r
    // reads its bias from bias + r bias_stride, so a stride of -1 serves biases that depend on the distance alone;
    // columns at or past limit[r] (NULL: none) count as masked, and so do those whose key_mask[c] is 0 (NULL: none).
    // maximum[r] and sum[r] carry over tiles (start at -inf and 0); correction[r] = exp(old maximum - new maximum),
    // 1 while nothing was seen.
    void (*online_softmax_rows)(float *s, size_t stride, size_t rows, size_t columns, float scale, const float *bias,
                                ptrdiff_t bias_stride, const int32_t *limit, const uint8_t *key_mask, float *maximum,
                                float *sum, float *correction);
    // s becomes exp(scale s + bias - lse[r]) under the same masks: the probabilities, recomputed for the gradient.
    void (*attention_weights_rows)(float *s, size_t stride, size_t rows, size_t columns, float scale, const float *bias,
                                   ptrdiff_t bias_stride, const int32_t *limit, const uint8_t *key_mask,
                                   const float *lse);
    // dp becomes p (dp - delta[r]): the gradient with respect to scale s + bias.
    void (*attention_score_gradient_rows)(float *dp, size_t dp_stride, const float *p, size_t p_stride, size_t rows,
                                          size_t columns, const float *delta);
    void (*scale_rows)(float *x, size_t stride, size_t rows, size_t n, const float *factor);         // x[r] *= factor[r]
} tk_table;

// The table of an instruction set, or NULL where this processor lacks it.
const tk_table *tk_table_for(tk_isa isa);

// Sets flush-to-zero and denormals-are-zero for the calling thread; returns the mode before, for tk_restore_denormals.
uint64_t tk_flush_denormals(void);
void tk_restore_denormals(uint64_t mode);

// Tells a spinning processor to wait a little.
void tk_pause(void);

// C [m, n] = or += A [m, k] B [k, n], each element of A and B rounded to bfloat16. Operands are row-major with strides in
// elements; a transposed one is stored the other way round. `scratch` has the bytes that the kernel says it needs, at a
// 64-byte boundary.
typedef void tk_bf16_product(size_t m, size_t n, size_t k, const float *a, ptrdiff_t a_stride, int a_transposed, const float *b,
                             ptrdiff_t b_stride, int b_transposed, int accumulate, float *c, ptrdiff_t c_stride, void *scratch);

// With AVX-512's instructions for bfloat16, where this processor has them.
int tk_has_bf16_products(void);
// Whether they are faster than products in float32: on AMD's processors they are, on Intel's only those of AMX are.
int tk_bf16_products_pay(void);
size_t tk_bf16_scratch_bytes(void);
tk_bf16_product tk_multiply_bf16;

// The same with AMX, where this processor has it and the system lets this process use it: several times as fast.
int tk_has_amx_products(void);
size_t tk_amx_scratch_bytes(void);
tk_bf16_product tk_multiply_amx;

#endif
