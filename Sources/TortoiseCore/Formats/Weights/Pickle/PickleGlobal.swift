/// The constructors and constants that a pickle may name: this list is closed, and all of them make plain data.
enum PickleGlobal: Equatable {
    /// `(storage, offset, shape, strides, …)`.
    case rebuildTensor
    /// The same with the element type at the end of the seven known arguments.
    case rebuildTypedTensor
    /// `(tensor, …)`: a parameter is its tensor here.
    case rebuildParameter
    /// `(function, class, arguments, state)`, for tensors with Python attributes, which are dropped.
    case rebuildFromType
    /// A typed storage; only as part of a persistent id.
    case storage(DType)
    /// A storage of bytes, whose tensors bring their own type.
    case untypedStorage
    case tensorClass
    /// `torch.float16` and so on: nil for types that we do not hold.
    case dtype(DType?)
    case device
    case orderedDictionary
    case defaultDictionary
    case list
    case tuple
    case set
    case byteArray
    case codecsEncode
    case path
    case numPyReconstruct
    case numPyScalar
    case numPyFromBuffer
    case numPyArrayClass
    case numPyDType
    /// A class that may stand as a value and is never called, such as the factory of a `defaultdict`.
    case inert

    /// Looks a name up.
    init?(module: String, name: String) {
        if let known = Self.table["\(module).\(name)"] {
            self = known
        } else if module == "torch" || module == "torch.cuda" {
            if let type = name.suffixRemoved("Storage").flatMap({ Self.storageTypes[$0] }) {
                self = .storage(type)
            } else if module == "torch", Self.heldDTypes[name] != nil || Self.otherDTypes.contains(name) {
                self = .dtype(Self.heldDTypes[name])
            } else {
                return nil
            }
        } else {
            return nil
        }
    }

    private static let storageTypes: [String: DType] = [
        "Float": .float32, "Half": .float16, "BFloat16": .bfloat16, "Double": .float64, "Char": .int8, "Byte": .uint8,
        "Short": .int16, "Int": .int32, "Long": .int64, "Bool": .bool,
    ]

    private static let heldDTypes: [String: DType] = [
        "float32": .float32, "float": .float32, "float16": .float16, "half": .float16, "bfloat16": .bfloat16,
        "float64": .float64, "double": .float64, "int8": .int8, "uint8": .uint8, "int16": .int16, "short": .int16,
        "int32": .int32, "int": .int32, "int64": .int64, "long": .int64, "bool": .bool,
    ]

    /// Constants that may stand in a configuration; a tensor of such a type is refused.
    private static let otherDTypes: Set<String> = [
        "uint16", "uint32", "uint64", "complex32", "complex64", "complex128", "cfloat", "cdouble", "float8_e4m3fn",
        "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu",
    ]

    private static let table: [String: PickleGlobal] = {
        var table: [String: PickleGlobal] = [
            "torch._utils._rebuild_tensor": .rebuildTensor,
            "torch._utils._rebuild_tensor_v2": .rebuildTensor,
            "torch._utils._rebuild_tensor_v3": .rebuildTypedTensor,
            "torch._utils._rebuild_parameter": .rebuildParameter,
            "torch._utils._rebuild_parameter_with_state": .rebuildParameter,
            "torch.nn.parameter.Parameter": .rebuildParameter,
            "torch._tensor._rebuild_from_type_v2": .rebuildFromType,
            "torch._tensor.Tensor": .tensorClass,
            "torch.Tensor": .tensorClass,
            "torch.storage.UntypedStorage": .untypedStorage,
            "torch.UntypedStorage": .untypedStorage,
            "torch.storage.TypedStorage": .untypedStorage,
            "torch.Size": .tuple,
            "torch.device": .device,
            "collections.OrderedDict": .orderedDictionary,
            "collections.Counter": .orderedDictionary,
            "collections.defaultdict": .defaultDictionary,
            "_codecs.encode": .codecsEncode,
            "numpy.ndarray": .numPyArrayClass,
            "numpy.dtype": .numPyDType,
        ]
        for module in ["numpy.core", "numpy._core"] {
            table["\(module).multiarray._reconstruct"] = .numPyReconstruct
            table["\(module).multiarray.scalar"] = .numPyScalar
            table["\(module).numeric._frombuffer"] = .numPyFromBuffer
        }
        for module in ["builtins", "__builtin__"] {
            table["\(module).set"] = .set
            table["\(module).frozenset"] = .set
            table["\(module).list"] = .list
            table["\(module).tuple"] = .tuple
            table["\(module).dict"] = .orderedDictionary
            table["\(module).bytearray"] = .byteArray
            for name in ["int", "float", "str", "bool", "bytes", "complex", "object", "long", "unicode"] {
                table["\(module).\(name)"] = .inert
            }
        }
        for module in ["pathlib", "pathlib._local"] {
            for name in ["Path", "PosixPath", "WindowsPath", "PurePath", "PurePosixPath", "PureWindowsPath"] {
                table["\(module).\(name)"] = .path
            }
        }
        return table
    }()
}

extension String {
    fileprivate func suffixRemoved(_ suffix: String) -> String? {
        hasSuffix(suffix) ? String(dropLast(suffix.count)) : nil
    }
}
