/// Numbers of bytes for people, in the decimal units of SI (1 kB = 1000 B).
public enum ByteCount {
  private static let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"]

  /// A number of bytes in up to three digits, such as `999 B`, `1.5 GB` or `310 MB`.
  public static func format(_ bytes: Int64) -> String {
    let sign = bytes < 0 ? "-" : ""
    let magnitude = bytes.magnitude
    if magnitude < 1000 { return "\(sign)\(magnitude) B" }
    var unit: UInt64 = 1000
    var index = 1
    while true {
      let tenths = magnitude / unit * 10 + (magnitude % unit * 10 + unit / 2) / unit
      if tenths < 1000 { return "\(sign)\(tenths / 10).\(tenths % 10) \(units[index])" }
      let whole = magnitude / unit + (magnitude % unit >= unit / 2 ? 1 : 0)
      // What would be rounded to 1000 belongs into the next unit.
      if whole < 1000 { return "\(sign)\(whole) \(units[index])" }
      unit *= 1000
      index += 1
    }
  }

  /// A rate, such as `35.2 MB/s`.
  public static func format(bytesPerSecond: Double) -> String {
    format(Int64(exactly: bytesPerSecond.rounded()) ?? 0) + "/s"
  }
}
