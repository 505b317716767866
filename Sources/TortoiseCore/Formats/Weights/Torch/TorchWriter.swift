/// Writes files that `torch.load(weights_only=True)` reads: the zip layout, records stored at multiples of 64 bytes.
public enum TorchWriter {
    /// Writes a value with its tensors, streamed, to a file that appears complete or not at all.
    ///
    /// - Throws: `InputError` when the file cannot be written.
    public static func write(_ value: CheckpointContent, to path: String) throws {
        try write(value, to: path, zip64Threshold: 0xFFFF_FFFF)
    }

    static func write(_ value: CheckpointContent, to path: String, zip64Threshold: Int) throws {
        let (pickle, tensors) = PickleWriter.pickle(value, version: .two)
        try AtomicFile.write(to: path, kind: .model) { file in
            var archive = ZipWriter(file, zip64Threshold: zip64Threshold)
            try archive.record("archive/data.pkl", pickle)
            try archive.record("archive/byteorder", Array("little".utf8))
            for (index, tensor) in tensors.enumerated() {
                try archive.record("archive/data/\(index)", byteCount: tensor.byteCount) { try tensor.forEachChunk($0) }
            }
            // The format's version of the records, as PyTorch has written it since 1.6.
            try archive.record("archive/version", Array("3\n".utf8))
            try archive.finish()
        }
    }
}
