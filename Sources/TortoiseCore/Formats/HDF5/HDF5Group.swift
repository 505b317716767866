import CHDF5
import Foundation

/// A group: named groups and datasets, and attributes.
struct HDF5Group: @unchecked Sendable {
    let identifier: HDF5Identifier
    /// The path inside the file.
    let path: String
    /// The file's path, for messages.
    let file: String

    var place: String { "\(file): \(path)" }

    func childPath(_ name: String) -> String { path == "/" ? "/" + name : "\(path)/\(name)" }

    /// The names of what the group holds, in alphabetical order.
    func names() throws -> [String] {
        try HDF5Library.locked {
            var names: [String] = []
            let status = withUnsafeMutablePointer(to: &names) { pointer in
                // In the file's own order: for any other the library makes a table, which it cannot clear away when a link is damaged.
                H5Literate(
                    identifier.id, H5_INDEX_NAME, H5_ITER_NATIVE, nil,
                    { _, name, _, context in
                        if let name, let context {
                            context.assumingMemoryBound(to: [String].self).pointee.append(String(cString: name))
                        }
                        return 0
                    }, pointer)
            }
            guard status >= 0 else { throw HDF5Library.takeError("list the group", at: place) }
            return names.sorted()
        }
    }

    /// Whether something of this name is there.
    func contains(_ name: String) -> Bool {
        HDF5Library.locked {
            let found = H5Lexists(identifier.id, name, tortoise_h5_default()) > 0
            H5Eclear2(tortoise_h5_error_stack())
            return found
        }
    }

    func group(_ name: String) throws -> HDF5Group {
        try HDF5Library.locked {
            guard let child = HDF5Identifier(H5Gopen2(identifier.id, name, tortoise_h5_default()), .group) else {
                throw missing(name, "group")
            }
            return HDF5Group(identifier: child, path: childPath(name), file: file)
        }
    }

    func dataset(_ name: String) throws -> HDF5Dataset {
        try HDF5Library.locked {
            guard let child = HDF5Identifier(H5Dopen2(identifier.id, name, tortoise_h5_default()), .dataset) else {
                throw missing(name, "dataset")
            }
            return try HDF5Dataset(identifier: child, place: "\(file): \(childPath(name))")
        }
    }

    func createGroup(_ name: String) throws -> HDF5Group {
        try HDF5Library.locked {
            let none = tortoise_h5_default()
            guard let child = HDF5Identifier(H5Gcreate2(identifier.id, name, none, none, none), .group) else {
                throw HDF5Library.takeError("create the group", at: "\(file): \(childPath(name))")
            }
            return HDF5Group(identifier: child, path: childPath(name), file: file)
        }
    }

    private func missing(_ name: String, _ kind: String) -> InputError {
        let error = HDF5Library.takeError("open the \(kind)", at: "\(file): \(childPath(name))")
        guard let names = try? names(), !names.contains(name) else { return error }
        let near = nearestNames(to: name, among: names, limit: 1).first
        return .data(
            "expected a \(kind), found none of this name", at: error.place, try: near.map { "did you mean '\($0)'?" })
    }
}

// MARK: - Attributes

extension HDF5Group {
    func text(attribute name: String) throws -> String? { try HDF5Attributes.text(of: identifier, name, place) }
    func number(attribute name: String) throws -> Double? { try HDF5Attributes.number(of: identifier, name, place) }
    func set(_ text: String, attribute name: String) throws {
        try HDF5Attributes.set(text, of: identifier, name, place)
    }
    func set(_ number: Double, attribute name: String) throws {
        try HDF5Attributes.set(number, of: identifier, name, place)
    }
    func set(_ number: Int, attribute name: String) throws {
        try HDF5Attributes.set(Int64(number), of: identifier, name, place)
    }
}

extension HDF5Dataset {
    func text(attribute name: String) throws -> String? { try HDF5Attributes.text(of: identifier, name, place) }
    func number(attribute name: String) throws -> Double? { try HDF5Attributes.number(of: identifier, name, place) }
    func set(_ text: String, attribute name: String) throws {
        try HDF5Attributes.set(text, of: identifier, name, place)
    }
}

/// Attributes: scalars of text and numbers on a group or dataset.
enum HDF5Attributes {
    /// The longest text that is read, in bytes.
    private static let maximumText = 64 << 20

    /// The text of an attribute; nil when there is none of this name.
    ///
    /// - Throws: `InputError` for text of variable length too: it lies in a heap without checksums, and the library may crash where
    ///   that is damaged.
    static func text(of object: HDF5Identifier, _ name: String, _ place: String) throws -> String? {
        try HDF5Library.locked {
            guard let attribute = try open(object, name, place) else { return nil }
            guard let type = HDF5Identifier(H5Aget_type(attribute.id), .datatype),
                let space = HDF5Identifier(H5Aget_space(attribute.id), .dataspace)
            else { throw HDF5Library.takeError("read the attribute '\(name)'", at: place) }
            guard H5Tget_class(type.id) == H5T_STRING, H5Sget_simple_extent_npoints(space.id) == 1,
                H5Tis_variable_str(type.id) == 0
            else { throw InputError.data("expected the attribute '\(name)' to be one text of fixed length", at: place) }
            let size = H5Tget_size(type.id)
            guard size > 0, size <= maximumText else {
                throw InputError.data(
                    "expected the attribute '\(name)' to be below 64 MiB, found \(size) bytes", at: place)
            }
            var bytes = [UInt8](repeating: 0, count: size)
            guard H5Aread(attribute.id, type.id, &bytes) >= 0 else {
                throw HDF5Library.takeError("read the attribute '\(name)'", at: place)
            }
            return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    /// The number of an attribute; nil when there is none of this name.
    static func number(of object: HDF5Identifier, _ name: String, _ place: String) throws -> Double? {
        try HDF5Library.locked {
            guard let attribute = try open(object, name, place) else { return nil }
            guard let type = HDF5Identifier(H5Aget_type(attribute.id), .datatype),
                let space = HDF5Identifier(H5Aget_space(attribute.id), .dataspace)
            else { throw HDF5Library.takeError("read the attribute '\(name)'", at: place) }
            let kind = H5Tget_class(type.id)
            guard kind == H5T_INTEGER || kind == H5T_FLOAT, H5Sget_simple_extent_npoints(space.id) == 1 else {
                throw InputError.data("expected the attribute '\(name)' to be one number", at: place)
            }
            var value = 0.0
            guard H5Aread(attribute.id, Double.nativeType, &value) >= 0 else {
                throw HDF5Library.takeError("read the attribute '\(name)'", at: place)
            }
            return value
        }
    }

    static func set(_ text: String, of object: HDF5Identifier, _ name: String, _ place: String) throws {
        try HDF5Library.locked {
            // Fixed length: such text lies in the object's header, under its checksum.
            let bytes = Array(text.utf8) + (text.isEmpty ? [0] : [])
            let type = try textType(bytes.count, place)
            try write(object, name, type: type.id, place) { H5Awrite($0, type.id, bytes) }
        }
    }

    static func set<Number: HDF5Element>(_ number: Number, of object: HDF5Identifier, _ name: String, _ place: String)
        throws
    {
        try HDF5Library.locked {
            try write(object, name, type: Number.nativeType, place) { attribute in
                var number = number
                return H5Awrite(attribute, Number.nativeType, &number)
            }
        }
    }

    private static func open(_ object: HDF5Identifier, _ name: String, _ place: String) throws -> HDF5Identifier? {
        guard H5Aexists(object.id, name) > 0 else {
            H5Eclear2(tortoise_h5_error_stack())
            return nil
        }
        guard let attribute = HDF5Identifier(H5Aopen(object.id, name, tortoise_h5_default()), .attribute) else {
            throw HDF5Library.takeError("open the attribute '\(name)'", at: place)
        }
        return attribute
    }

    private static func write(
        _ object: HDF5Identifier, _ name: String, type: hid_t, _ place: String, _ body: (hid_t) -> herr_t
    ) throws {
        if H5Aexists(object.id, name) > 0 { H5Adelete(object.id, name) }
        let none = tortoise_h5_default()
        guard let space = HDF5Identifier(H5Screate(H5S_SCALAR), .dataspace),
            let attribute = HDF5Identifier(H5Acreate2(object.id, name, type, space.id, none, none), .attribute),
            body(attribute.id) >= 0
        else { throw HDF5Library.takeError("write the attribute '\(name)'", at: place) }
    }

    /// UTF-8 of a fixed number of bytes; call under the lock.
    private static func textType(_ count: Int, _ place: String) throws -> HDF5Identifier {
        guard let type = HDF5Identifier(H5Tcopy(tortoise_h5_c_string()), .datatype), H5Tset_size(type.id, count) >= 0,
            H5Tset_strpad(type.id, H5T_STR_NULLPAD) >= 0, H5Tset_cset(type.id, H5T_CSET_UTF8) >= 0
        else { throw HDF5Library.takeError("make a text type", at: place) }
        return type
    }
}
