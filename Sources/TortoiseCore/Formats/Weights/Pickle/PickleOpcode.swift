/// The instructions of Python's pickle machine, protocols 0 to 5 (CPython's `Lib/pickletools.py` describes each).
enum PickleOpcode: UInt8 {
    // Protocol 0: text arguments.
    case mark = 0x28  // (
    case stop = 0x2E  // .
    case pop = 0x30  // 0
    case popMark = 0x31  // 1
    case duplicate = 0x32  // 2
    case floatText = 0x46  // F
    case integerText = 0x49  // I
    case longText = 0x4C  // L
    case none = 0x4E  // N
    case persistentText = 0x50  // P
    case reduce = 0x52  // R
    case stringText = 0x53  // S
    case unicodeText = 0x56  // V
    case append = 0x61  // a
    case build = 0x62  // b
    case global = 0x63  // c
    case dictionary = 0x64  // d
    case getText = 0x67  // g
    case instance = 0x69  // i
    case list = 0x6C  // l
    case putText = 0x70  // p
    case setItem = 0x73  // s
    case tuple = 0x74  // t
    // Protocol 1: binary arguments.
    case emptyTuple = 0x29  // )
    case float64 = 0x47  // G
    case int32 = 0x4A  // J
    case uint8 = 0x4B  // K
    case uint16 = 0x4D  // M
    case persistent = 0x51  // Q
    case string32 = 0x54  // T
    case string8 = 0x55  // U
    case unicode32 = 0x58  // X
    case emptyList = 0x5D  // ]
    case appends = 0x65  // e
    case get8 = 0x68  // h
    case get32 = 0x6A  // j
    case object = 0x6F  // o
    case put8 = 0x71  // q
    case put32 = 0x72  // r
    case setItems = 0x75  // u
    case emptyDictionary = 0x7D  // }
    // Protocol 2.
    case proto = 0x80
    case newObject = 0x81
    case extension8 = 0x82
    case extension16 = 0x83
    case extension32 = 0x84
    case tuple1 = 0x85
    case tuple2 = 0x86
    case tuple3 = 0x87
    case newTrue = 0x88
    case newFalse = 0x89
    case long8 = 0x8A
    case long32 = 0x8B
    // Protocol 3.
    case bytes32 = 0x42  // B
    case bytes8 = 0x43  // C
    // Protocol 4.
    case unicode8 = 0x8C
    case unicode64 = 0x8D
    case bytes64 = 0x8E
    case emptySet = 0x8F
    case addItems = 0x90
    case frozenSet = 0x91
    case newObjectWithKeywords = 0x92
    case stackGlobal = 0x93
    case memoize = 0x94
    case frame = 0x95
    // Protocol 5.
    case byteArray64 = 0x96
    case nextBuffer = 0x97
    case readOnlyBuffer = 0x98
}
