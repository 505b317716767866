/// A value inside the pickle machine. Containers hold the numbers of other nodes, so that sharing, cycles and depth
/// cost nothing while the machine runs, and nothing is freed recursively.
enum PickleNode {
    typealias ID = UInt32

    case none
    case bool(Bool)
    case integer(Int)
    indirect case largeInteger([UInt8])
    case float(Double)
    case string(String)
    indirect case bytes(TensorBytes)
    case tuple([ID])
    case list([ID])
    case set([ID])
    /// Keys and values in turn.
    case dictionary([ID])
    /// A name of the closed list with the name itself.
    indirect case global(PickleGlobal, String)
    indirect case storage(PickleStorage)
    indirect case tensor(PickleTensor)
    indirect case elementType(NumPyElementType)
    /// An array that `_reconstruct` made, before its state came.
    case emptyArray
    indirect case array(NumPyArray)

    /// What the node is called in messages.
    var kind: String {
        switch self {
        case .none: "None"
        case .bool: "a bool"
        case .integer, .largeInteger: "an int"
        case .float: "a float"
        case .string: "a string"
        case .bytes: "bytes"
        case .tuple: "a tuple"
        case .list: "a list"
        case .set: "a set"
        case .dictionary: "a dictionary"
        case .global(_, let name): name
        case .storage: "a storage"
        case .tensor: "a tensor"
        case .elementType: "a NumPy dtype"
        case .emptyArray, .array: "a NumPy array"
        }
    }
}

/// A block of elements that tensors share, as a pickle names it.
struct PickleStorage: Hashable {
    /// The record's name in a zip archive, the storage's key in a legacy file.
    let key: String
    /// Nil for a storage of bytes.
    let dtype: DType?
    /// Elements, or bytes without a type.
    let count: Int
    /// The first element of this storage within the block of that key (legacy views).
    let firstElement: Int

    /// Bytes in one element.
    var elementByteCount: Int { dtype?.byteCount ?? 1 }
}

/// A tensor as a pickle describes it: a view of a storage whose place in the file is not known yet.
struct PickleTensor {
    let storage: PickleStorage
    let dtype: DType
    /// The first element within the storage.
    let offset: Int
    let shape: [Int]
    let strides: [Int]
}
