import Testing

@testable import TortoiseCore

@Suite struct ArithmeticTests {
    /// All broadcasting patterns; ties are a suite of their own, since there functions have kinks.
    @Test(arguments: ["add", "subtract", "multiply", "divide", "maximum", "minimum"])
    func broadcasting(_ name: String) throws {
        let cases = try GoldenFile("Ops/arithmetic.safetensors").cases(name)
        #expect(cases.count == 17)
        for item in cases {
            checkOp(item, name.hasSuffix("imum") ? [.differences, .views] : .all) { x in
                switch name {
                case "add": x[0] + x[1]
                case "subtract": x[0] - x[1]
                case "multiply": x[0] * x[1]
                case "divide": x[0] / x[1]
                case "maximum": Tensor.maximum(x[0], x[1])
                default: Tensor.minimum(x[0], x[1])
                }
            }
        }
    }
}
