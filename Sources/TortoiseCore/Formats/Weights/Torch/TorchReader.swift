/// A file of `torch.save`, read without executing anything: the zip layout (PyTorch 1.6 and later) or the legacy one.
///
/// `root` is the saved object as plain data. `entries` is the view of it as named tensors:
/// - A dictionary's tensors are named by its keys, joined by dots through nested dictionaries; items of lists and
///   tuples by their index (`optimizer.state.0.exp_avg`). A bare tensor is named `tensor`.
/// - Where a dictionary has no tensor of its own but one or more well-known wrappers (`wrappers`), only what lies in
///   the wrappers counts and the wrappers' names are left out, again and again as they nest. Two wrappers side by
///   side (`module` and `lora`) are read as one, and must not share a name.
/// - Other entries beside the wrappers are `metadata` when they hold no tensors: text as it is, the rest as JSON where
///   JSON can say it. The safetensors files of the original trainer keep the same things in the same way.
public final class TorchReader: CheckpointReader {
    public let file: MappedFile
    /// The saved object.
    public let root: CheckpointValue
    public let names: [String]
    public let entries: [String: TensorDescriptor]
    public let metadata: [String: String]

    /// Keys under which training programs keep the weights themselves.
    public static let wrappers: Set<String> = [
        "module", "lora", "state_dict", "model_state_dict", "model", "model_g", "generator",
    ]

    /// Opens a file of either layout.
    ///
    /// - Throws: `InputError` when the file is damaged, or holds anything but tensors and plain data (named).
    public convenience init(path: String) throws {
        try self.init(MappedFile(path: path))
    }

    init(_ file: MappedFile) throws {
        self.file = file
        if ZipArchive.isArchive(file) {
            root = try file.withScatteredReads { try TorchZip.root(of: file) }
        } else if TorchLegacy.isLegacy(file) {
            root = try file.withScatteredReads { try TorchLegacy.root(of: file) }
        } else {
            throw InputError.model("the file is none of torch.save", at: file.path, try: fileKindHint(file))
        }
        // Looking at the archive touched pages all over the file.
        file.releasePages()
        let view = try CheckpointView(root, of: file)
        (names, entries, metadata) = (view.names, view.entries, view.metadata)
    }

    /// The dense little-endian bytes of a tensor found in `root`: in place when it is contiguous, else a copy.
    public func bytes(of tensor: TensorDescriptor) throws -> TensorBytes {
        try tensor.bytes(in: file)
    }
}
