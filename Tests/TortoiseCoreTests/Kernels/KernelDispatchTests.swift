import CKernels
import Foundation
import Synchronization
import Testing

@Suite struct KernelDispatchTests {
    @Test("Every table names itself and leaves no kernel out") func tables() throws {
        #expect(tk_table_for(TK_SCALAR) != nil)
        for instructionSet in KernelSet.present {
            let table = try #require(tk_table_for(tk_isa(instructionSet.rawValue)))
            #expect(String(cString: table.pointee.name) == "\(instructionSet)")
            let entries = MemoryLayout<tk_table>.size / MemoryLayout<Int>.size
            table.withMemoryRebound(to: Int.self, capacity: entries) { entry in
                #expect((0..<entries).allSatisfy { entry[$0] != 0 })
            }
        }
        #expect(tk_table_for(tk_isa(99)) == nil)
    }

    @Test("Denormals are flushed in the thread that asks for it, until it asks otherwise") func denormals() {
        let products = Mutex<[Float]>([])
        let done = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            var x: [Float] = [.leastNormalMagnitude], y: [Float] = [0]
            tk_table_for(TK_SCALAR)?.pointee.unary(TK_AFFINE, &y, x, 1, 0.5, 0)
            products.withLock { $0.append(y[0]) }
            let mode = tk_flush_denormals()
            x[0] = .leastNormalMagnitude
            tk_table_for(TK_SCALAR)?.pointee.unary(TK_AFFINE, &y, x, 1, 0.5, 0)
            products.withLock { $0.append(y[0]) }
            tk_restore_denormals(mode)
            tk_table_for(TK_SCALAR)?.pointee.unary(TK_AFFINE, &y, x, 1, 0.5, 0)
            products.withLock { $0.append(y[0]) }
            done.signal()
        }
        done.wait()
        #expect(products.withLock { $0 } == [.leastNormalMagnitude / 2, 0, .leastNormalMagnitude / 2])
    }
}
