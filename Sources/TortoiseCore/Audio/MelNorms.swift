/// The divisors of the 80 mel bands that the published models were trained with.
public enum MelNorms {
    /// Reads `data/mel_norms.safetensors`, or a file of the same layout (or the original's `mel_norms.pth`).
    ///
    /// - Parameter path: nil for the file that comes with the package.
    /// - Throws: `InputError.model` when it does not hold 80 finite numbers other than 0.
    public static func load(path: String? = nil) throws -> [Float] {
        let path = try path ?? DataFolder.path(of: "mel_norms.safetensors")
        let reader = try openCheckpoint(path: path)
        guard let name = reader.names.first, reader.names.count == 1 else {
            throw InputError.model("expected one tensor of mel norms, found \(reader.names.count) tensors", at: path)
        }
        let norms = try Tensor(of: name, in: reader)
        guard norms.dtype == .float32, norms.shape == [80] else {
            throw InputError.model("expected 80 mel norms, found \(norms.shape) of \(norms.dtype)", at: path)
        }
        let values = norms.values
        guard values.allSatisfy({ $0.isFinite && $0 != 0 }) else {
            throw InputError.model("the mel norms hold a 0 or a number that is not finite", at: path)
        }
        return values
    }
}
