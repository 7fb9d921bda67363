import Files
import SystemPackage

/// The file systems that this process sees.
///
/// Source: proc(5), `/proc/PID/mountinfo`.
public struct MountTable: Sendable {
  /// A mounted file system.
  public struct Mount: Sendable, Equatable {
    /// Its device, as `major:minor`.
    let device: String
    /// Where it is mounted.
    public let place: FilePath
    /// The kernel's name for its type, such as `ext4`.
    public let type: String
    /// What it is mounted with, such as `noexec`.
    public let options: Set<String>
  }

  /// All of them, in the order in which they were mounted.
  let mounts: [Mount]

  /// Reads the table; an empty one where the system does not tell.
  ///
  /// - Parameter proc: The folder `/proc`.
  public init(proc: FilePath = "/proc") {
    let text = (try? readText(proc.appending("self").appending("mountinfo"), limit: 4 << 20)) ?? ""
    mounts = text.split(separator: "\n").compactMap(Self.mount)
  }

  private static func mount(_ line: Substring) -> Mount? {
    let words = line.split(separator: " ")
    guard words.count > 5, let mark = words.firstIndex(of: "-"), mark + 1 < words.endIndex else { return nil }
    let ofSystem = mark + 3 < words.endIndex ? words[mark + 3] : ""
    return Mount(
      device: String(words[2]), place: FilePath(unescaped(words[4])), type: String(words[mark + 1]),
      options: Set((words[5] + "," + ofSystem).split(separator: ",").map(String.init)))
  }

  /// A path as the kernel writes it: blanks and backslashes are `\` and three octal digits.
  private static func unescaped(_ text: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      let digits = String(decoding: rest.prefix(3), as: UTF8.self)
      if byte == UInt8(ascii: "\\"), let value = UInt8(digits, radix: 8) {
        bytes.append(value)
        rest = rest.dropFirst(3)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The type of the file system on a device, `major:minor`; `nil` when none of it is mounted.
  public func type(onDevice device: String) -> String? { mounts.first { $0.device == device }?.type }

  /// The file system that holds an absolute path, whether or not there is something at it.
  public func mount(holding path: FilePath) -> Mount? {
    // What was mounted later covers what is mounted at the same place.
    mounts.filter { path.starts(with: $0.place) }
      .reduce(nil) { best, next in
        guard let best, best.place.components.count > next.place.components.count else { return next }
        return best
      }
  }
}
