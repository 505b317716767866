import Foundation

/// The 8-bit numbers in which Adam's moments are kept: dynamic tree quantisation of blocks of 256 elements, each divided
/// by its largest magnitude (Dettmers, Lewis, Shleifer and Zettlemoyer, "8-bit optimizers via block-wise quantization",
/// ICLR 2022).
///
/// Besides 0 and 1 a map holds seven decades, 10⁻⁶ to 1. From one decade to the next the number of values doubles, so
/// that large numbers are exact to a percent and small ones still have an exponent. Values sit in the middle of equal
/// steps that divide the range from 0.1 to 1 times the decade.
public enum DynamicQuantization {
    /// Arrays with fewer elements keep float32 moments: they cost little, and norms and biases are sensitive.
    public static let smallestCount = 4096

    /// 256 ascending numbers from −1 to 1, for the first moment.
    public static let signedMap: [Float] = {
        let positive = values(inLowestDecade: 1)
        return (positive.map { -$0 } + [0, 1] + positive).map(Float.init).sorted()
    }()

    /// 256 ascending numbers from 10⁻⁷ to 1, for the second moment.
    ///
    /// The paper's map begins with 0. A weight whose gradients are thousands of times smaller than its neighbours' then
    /// has a first moment but no second, and its step m / ε throws it away. With 10⁻⁷ in its place such a weight moves
    /// too slowly instead; blocks without any gradient are zero by their scale.
    public static let unsignedMap: [Float] = (values(inLowestDecade: 2) + [1e-7, 1]).map(Float.init).sorted()

    private static func values(inLowestDecade count: Int) -> [Double] {
        (0..<7).flatMap { decade -> [Double] in
            let steps = count << decade
            let scale: Double = pow(10, Double(decade - 6))
            return (0..<steps).map { step -> Double in
                let middle: Double = (Double(step) + 0.5) / Double(steps)
                return scale * (0.1 + 0.9 * middle)
            }
        }
    }
}
