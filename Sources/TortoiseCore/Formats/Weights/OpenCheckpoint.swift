/// Opens a weight file of any kind that we read; the content decides, whatever the file is called.
///
/// - Throws: `InputError` that says what the file seems to be when it is no weight file.
public func openCheckpoint(path: String) throws -> any CheckpointReader {
    let file = try MappedFile(path: path)
    if ZipArchive.isArchive(file) || TorchLegacy.isLegacy(file) { return try TorchReader(file) }
    if isSafetensors(file) { return try SafetensorsReader(file) }
    throw InputError.model("the file is neither safetensors nor of torch.save", at: path, try: fileKindHint(file))
}

/// A length that fits the limit and an opening brace.
private func isSafetensors(_ file: MappedFile) -> Bool {
    guard file.bytes.count > 8 else { return false }
    let count = file.bytes.loadUnaligned(as: UInt64.self).littleEndian
    return file.bytes[8] == UInt8(ascii: "{") && count <= SafetensorsHeader.maximumByteCount
}

/// What a file that is no weight file seems to be, as advice.
func fileKindHint(_ file: MappedFile) -> String {
    let bytes = file.bytes
    func starts(_ text: String) -> Bool { bytes.starts(with: text.utf8) }
    if bytes.isEmpty { return "it is empty: fetch it again" }
    if starts("version https://git-lfs") { return "it is a Git LFS pointer: fetch the file that it points to" }
    if starts("<") { return "it is a web page: the download went wrong" }
    if starts("GGUF") { return "it is a GGUF file: convert it to safetensors" }
    if bytes.starts(with: [0x1F, 0x8B]) { return "it is compressed by gzip: unpack it" }
    if bytes.starts(with: [0x89, 0x48, 0x44, 0x46]) { return "it is an HDF5 file, which holds datasets" }
    if bytes.starts(with: [0x93, 0x4E, 0x55, 0x4D]) { return "it is a NumPy array" }
    if bytes.dropFirst(257).starts(with: "ustar".utf8) {
        return "it is a tar archive, perhaps of PyTorch before 0.1.10: load it with torch and save it again"
    }
    if bytes.first == 0x80 { return "it is a bare pickle: save it with torch.save or as safetensors" }
    return "expected a .safetensors, .sft, .pth or .pt file"
}
