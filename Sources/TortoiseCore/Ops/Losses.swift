// Losses. Each returns a scalar unless it says otherwise.

/// How a loss per element becomes one number.
public enum LossReduction: Sendable {
    case mean, sum, none
}

/// Cross entropy between logits and target classes.
///
/// With reduction `mean`, the mean is over the targets that count, as in PyTorch.
/// - Parameters:
///   - logits: Scores, with the classes along `classAxis`.
///   - targets: int32, the shape of `logits` without the class axis.
///   - classAxis: 1 is PyTorch's convention for [batch, classes, ...]; −1 for [..., classes].
///   - ignoredTarget: Targets of this value count for nothing.
///   - labelSmoothing: The share of probability spread evenly over all classes.
/// - Precondition: the shapes agree; every target is a class or the ignored one.
public func crossEntropy(
    _ logits: Tensor, _ targets: Tensor, classAxis: Int = -1, ignoredTarget: Int32 = -100, labelSmoothing: Float = 0,
    reduction: LossReduction = .mean
) -> Tensor {
    let axis = logits.resolve(classAxis)
    guard axis == logits.rank - 1 else {
        var axes = Array(0..<logits.rank)
        axes.append(axes.remove(at: axis))
        return crossEntropy(
            logits.permuted(axes), targets, ignoredTarget: ignoredTarget, labelSmoothing: labelSmoothing,
            reduction: reduction)
    }
    precondition(
        targets.shape == Array(logits.shape.dropLast()),
        "cross entropy: logits \(logits.shape), targets \(targets.shape)")
    let classes = logits.size(-1)
    let rows = targets.count
    let settings = CrossEntropySettings(ignoredTarget: ignoredTarget, labelSmoothing: labelSmoothing)
    let targetValues = targets.indexValues
    for target in targetValues where target != ignoredTarget {
        precondition(target >= 0 && target < classes, "cross entropy: target \(target) of \(classes) classes")
    }
    let counted = targetValues.count { $0 != ignoredTarget }
    let rowWeight: Float = reduction == .mean ? 1 / Float(counted) : 1
    let (input, index) = (logits.contiguousValues, targets.contiguousValues)
    let losses = Tensor(uninitialized: targets.shape)
    let logSumExp = Tensor(uninitialized: targets.shape)
    withFloats(losses, logSumExp, input) { losses, lse, logits in
        withIndices(index) { targets in
            Kernel.crossEntropyRows(
                loss: losses, logSumExp: lse, logits: logits, targets: targets, rows: rows, classes: classes, settings)
        }
    }
    let value = reduction == .none ? losses : losses.sum * rowWeight
    return value.recorded("crossEntropy", from: logits) { gradient in
        let rowScale = (gradient * rowWeight).expanded(targets.shape).contiguousValues
        let dx = Tensor.filled(input.shape) { dx in
            withFloats(input, logSumExp, rowScale) { logits, lse, rowScale in
                withIndices(index) { targets in
                    Kernel.crossEntropyGradientRows(
                        dx, logits: logits, logSumExp: lse, targets: targets, rowScale: rowScale, rows: rows,
                        classes: classes, settings)
                }
            }
        }
        return [dx]
    }
}

/// The squared difference.
public func meanSquaredError(_ a: Tensor, _ b: Tensor, reduction: LossReduction = .mean) -> Tensor {
    (a - b).squared.reduced(by: reduction)
}

/// The absolute difference.
public func l1Loss(_ a: Tensor, _ b: Tensor, reduction: LossReduction = .mean) -> Tensor {
    (a - b).magnitude.reduced(by: reduction)
}

extension Tensor {
    func reduced(by reduction: LossReduction) -> Tensor {
        switch reduction {
        case .mean: mean
        case .sum: sum
        case .none: self
        }
    }
}
