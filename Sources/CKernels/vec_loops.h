// Loops over vectors. A loop's body is written once and appears twice: for whole vectors, where k is the constant VW,
// and for the lanes that are left, where 0 < k < VW.
#ifndef VEC_LOOPS_H
#define VEC_LOOPS_H

// The body for every i = 0, VW, ... below n, in order.
#define EACH_VECTOR(i, k, n, ...)                       \
    do {                                                \
        const size_t each_n = (n);                      \
        size_t i = 0;                                   \
        for (; i + VW <= each_n; i += VW) {             \
            enum { k = VW };                            \
            __VA_ARGS__                                 \
        }                                               \
        if (VW > 1 && i < each_n) {                     \
            const size_t k = each_n - i;                \
            __VA_ARGS__                                 \
        }                                               \
    } while (0)

// The body for every vector of [begin, end), in which it accumulates into acc[0 ..< count]; four chains of
// accumulators hide the latency of an addition. `vf acc_all[4][count]` is the caller's.
#define EACH_VECTOR_IN_CHAINS(acc, acc_all, i, k, begin, end, ...)     \
    do {                                                               \
        const size_t each_end = (end);                                 \
        size_t i = (begin);                                            \
        while (i + 4 * VW <= each_end) {                               \
            _Pragma("unroll") for (int chain = 0; chain < 4; chain++, i += VW) { \
                enum { k = VW };                                       \
                vf *const acc = (acc_all)[chain];                      \
                __VA_ARGS__                                            \
            }                                                          \
        }                                                              \
        for (; i + VW <= each_end; i += VW) {                          \
            enum { k = VW };                                           \
            vf *const acc = (acc_all)[0];                              \
            __VA_ARGS__                                                \
        }                                                              \
        if (VW > 1 && i < each_end) {                                  \
            const size_t k = each_end - i;                             \
            vf *const acc = (acc_all)[1];                              \
            __VA_ARGS__                                                \
        }                                                              \
    } while (0)

// Sums over [0, n): the body adds to sum[0 ..< count], and total[0 ..< count] (double, declared here) is the result.
// A lane adds up 64 terms at most before they join the double, so that the error does not grow with n.
// Lanes from k on must add 0.
#define SUM_VECTORS(count, total, sum, i, k, n, ...)                                                  \
    double total[count] = {0};                                                                        \
    do {                                                                                              \
        const size_t sum_n = (n), sum_block = 4 * 64 * VW;                                            \
        for (size_t sum_begin = 0; sum_begin < sum_n; sum_begin += sum_block) {                       \
            const size_t sum_end = sum_n - sum_begin < sum_block ? sum_n : sum_begin + sum_block;     \
            vf sums[4][count] = {0};                                                                  \
            EACH_VECTOR_IN_CHAINS(sum, sums, i, k, sum_begin, sum_end, __VA_ARGS__);                  \
            for (int term = 0; term < (count); term++)                                                \
                total[term] += vf_sum((sums[0][term] + sums[1][term]) + (sums[2][term] + sums[3][term])); \
        }                                                                                             \
    } while (0)

#endif
