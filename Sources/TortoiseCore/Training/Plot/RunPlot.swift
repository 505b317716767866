import Foundation

/// Something that lines and text can be drawn on; the origin is at the top left.
protocol PlotCanvas {
    mutating func line(_ points: [(x: Double, y: Double)], color: PlotColor, width: Double)
    /// Text whose baseline starts there; right-aligned text ends there.
    mutating func text(_ text: String, x: Double, y: Double, color: PlotColor, endsThere: Bool)
}

struct PlotColor: Equatable {
    let red, green, blue: UInt8

    static let ink = PlotColor(red: 60, green: 60, blue: 67)
    static let grid = PlotColor(red: 225, green: 225, blue: 230)
    /// Told apart by people with any kind of colour vision (Okabe and Ito, 2008).
    static let curves = [
        PlotColor(red: 0, green: 114, blue: 178), PlotColor(red: 213, green: 94, blue: 0),
        PlotColor(red: 0, green: 158, blue: 115),
        PlotColor(red: 204, green: 121, blue: 167), PlotColor(red: 230, green: 159, blue: 0),
        PlotColor(red: 86, green: 180, blue: 233),
    ]
}

/// Draws the panels of a run below each other.
struct RunPlot {
    let history: RunHistory
    let smoothing: Double

    static let width = 900.0
    private static let panelHeight = 240.0
    private static let margin = (left: 70.0, right: 20.0, top: 30.0, bottom: 30.0)

    var height: Double { Self.panelHeight * Double(history.panels.count) }

    func draw(on canvas: inout some PlotCanvas) {
        for (index, panel) in history.panels.enumerated() {
            draw(panel.title, panel.curves, top: Double(index) * Self.panelHeight, on: &canvas)
        }
    }

    private func draw(_ title: String, _ curves: [RunHistory.Curve], top: Double, on canvas: inout some PlotCanvas) {
        let shown = curves.map {
            (name: $0.name, points: RunHistory.smoothed($0.points, over: title == "evaluation" ? 0 : smoothing))
        }
        let all = shown.flatMap(\.points)
        guard let firstStep = all.map(\.step).min(), let lastStep = all.map(\.step).max(),
            let low = all.map(\.value).min(),
            let high = all.map(\.value).max()
        else { return }
        let (left, right) = (Self.margin.left, Self.width - Self.margin.right)
        let (upper, lower) = (top + Self.margin.top, top + Self.panelHeight - Self.margin.bottom)
        let (steps, values) = (max(lastStep - firstStep, 1), max(high - low, abs(high) * 1e-6, 1e-12))
        func x(_ step: Double) -> Double { left + (step - firstStep) / steps * (right - left) }
        func y(_ value: Double) -> Double { lower - (value - low) / values * (lower - upper) }
        for share in [0.0, 0.25, 0.5, 0.75, 1.0] {
            let value = low + share * values
            canvas.line([(left, y(value)), (right, y(value))], color: .grid, width: 1)
            canvas.text(Self.label(value), x: left - 6, y: y(value) + 4, color: .ink, endsThere: true)
            canvas.text(
                "\(Int((firstStep + share * steps).rounded()))", x: x(firstStep + share * steps), y: lower + 18,
                color: .ink, endsThere: share == 1)
        }
        canvas.text(title, x: left, y: top + 18, color: .ink, endsThere: false)
        var legend = left + 130
        for (index, curve) in shown.enumerated() {
            let color = PlotColor.curves[index % PlotColor.curves.count]
            canvas.line(curve.points.map { (x($0.step), y($0.value)) }, color: color, width: 1.6)
            canvas.text(curve.name, x: legend, y: top + 18, color: color, endsThere: false)
            legend += Double(curve.name.count) * 7 + 18
        }
    }

    /// Three significant digits, plain where that is short.
    static func label(_ value: Double) -> String {
        let size = abs(value)
        if size >= 10_000, size < 1e9, value == value.rounded() { return "\(Int(value / 1_000))k" }
        if value == value.rounded(), size < 1e6 { return "\(Int(value))" }
        return size >= 0.01 && size < 1_000 ? String(format: "%.3g", value) : String(format: "%.1e", value)
    }
}

extension RunHistory {
    /// Writes the curves as `PATH.svg` and `PATH.png`.
    ///
    /// - Parameter smoothing: Over how many points losses are smoothed.
    public func plot(to path: String, smoothing: Double = 10) throws {
        let plot = RunPlot(history: self, smoothing: smoothing)
        var vector = VectorCanvas(width: RunPlot.width, height: plot.height)
        plot.draw(on: &vector)
        try AtomicFile.write(to: path + ".svg") { try $0.write(Array(vector.svg.utf8)) }
        var raster = RasterCanvas(width: Int(RunPlot.width), height: Int(plot.height))
        plot.draw(on: &raster)
        try AtomicFile.write(to: path + ".png") { try $0.write(raster.png) }
    }
}

/// Draws to SVG text.
struct VectorCanvas: PlotCanvas {
    private let width, height: Double
    private var elements: [String] = []

    init(width: Double, height: Double) { (self.width, self.height) = (width, height) }

    mutating func line(_ points: [(x: Double, y: Double)], color: PlotColor, width: Double) {
        let list = points.map { String(format: "%.1f,%.1f", $0.x, $0.y) }.joined(separator: " ")
        elements.append(
            "<polyline fill=\"none\" stroke=\"\(Self.name(color))\" stroke-width=\"\(width)\" points=\"\(list)\"/>")
    }

    mutating func text(_ text: String, x: Double, y: Double, color: PlotColor, endsThere: Bool) {
        let safe = text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
        let anchor = endsThere ? " text-anchor=\"end\"" : ""
        elements.append(
            String(format: "<text x=\"%.1f\" y=\"%.1f\" fill=\"\(Self.name(color))\"\(anchor)>", x, y) + safe
                + "</text>")
    }

    var svg: String {
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(Int(width))\" height=\"\(Int(height))\" font-family=\"sans-serif\" font-size=\"12\">\n"
            + "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n" + elements.joined(separator: "\n")
            + "\n</svg>\n"
    }

    private static func name(_ color: PlotColor) -> String { "rgb(\(color.red),\(color.green),\(color.blue))" }
}
