import Foundation
import Testing

@testable import TortoiseCore

@Suite struct LearningRateScheduleTests {
    private static let schedules: [String: LearningRateSchedule] = [
        "warmup": .warmup(steps: 10, decay: 0.02), "noam": .noam(width: 384, warmup: 16),
        "cosineAnnealing": .cosineAnnealing(period: 20, minimum: 0.05), "oneCycle": .oneCycle(steps: 64),
        "oneCycleEarly": .oneCycle(steps: 64, rise: 0.1, divisor: 5, finalDivisor: 100),
        "cosine": .cosine(steps: 50, warmup: 10, minimum: 0.1), "linear": .linear(steps: 50, warmup: 10, end: 0.2),
    ]

    @Test("Factors are those of the reference and of PyTorch's schedulers")
    func tables() throws {
        let data = try Data(contentsOf: golden("Optimizers/schedules.json"))
        let tables = try JSONDecoder().decode([String: [Double]].self, from: data)
        #expect(Set(tables.keys) == Set(Self.schedules.keys))
        for (name, table) in tables {
            let schedule = try #require(Self.schedules[name])
            #expect(table.count == 64)
            for (step, expected) in table.enumerated() {
                let found = schedule.factor(at: step)
                #expect(abs(found - expected) <= 1e-12, "\(name) at \(step): \(found), expected \(expected)")
            }
        }
    }

    @Test("Schedules survive encoding", arguments: schedules.values)
    func codable(schedule: LearningRateSchedule) throws {
        let data = try JSONEncoder().encode(schedule)
        #expect(try JSONDecoder().decode(LearningRateSchedule.self, from: data) == schedule)
    }

    @Test("Any lengths and steps give a finite factor")
    func extremes() {
        for length in [Int.min, -1, 0, 1, .max] {
            let schedules: [LearningRateSchedule] = [
                .constant, .warmup(steps: length), .warmup(steps: length, decay: 0.5),
                .noam(width: length, warmup: length),
                .cosineAnnealing(period: length), .oneCycle(steps: length), .cosine(steps: length, warmup: length),
                .linear(steps: length, warmup: length),
            ]
            for schedule in schedules {
                for step in [Int.min, -1, 0, 1, 2, .max] {
                    let factor = schedule.factor(at: step)
                    #expect(factor.isFinite && factor >= 0 && factor <= 1 + 1e-12, "\(schedule) at \(step): \(factor)")
                }
            }
        }
    }
}
