/// A tar archive made header by header, so that tests can write what no honest program writes.
///
/// Source of the fields: POSIX.1-2017, pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format".
struct RawTar {
  private(set) var bytes: [UInt8] = []

  /// Adds a header and the padded content behind it.
  ///
  /// - Parameter type: The type flag: 0 file, 1 hard link, 2 symbolic link, 5 directory, and so on.
  mutating func add(
    _ name: String, type: Character = "0", content: String = "", link: String = "", mode: Int = 0o644,
    modified: Int = 1_700_000_000, size: Int? = nil, gnu: Bool = false
  ) {
    var header = [UInt8](repeating: 0, count: 512)
    func put(_ text: String, at offset: Int, length: Int) {
      let field = Array(text.utf8.prefix(length))
      header.replaceSubrange(offset..<offset + field.count, with: field)
    }
    put(name, at: 0, length: 100)
    put(octal(mode, digits: 7), at: 100, length: 8)
    put(octal(0, digits: 7), at: 108, length: 8)
    put(octal(0, digits: 7), at: 116, length: 8)
    put(octal(size ?? content.utf8.count, digits: 11), at: 124, length: 12)
    put(octal(modified, digits: 11), at: 136, length: 12)
    put(String(repeating: " ", count: 8), at: 148, length: 8)
    put(String(type), at: 156, length: 1)
    put(link, at: 157, length: 100)
    put(gnu ? "ustar  " : "ustar\u{0}00", at: 257, length: 8)
    put(octal(header.reduce(0) { $0 + Int($1) }, digits: 6) + "\0 ", at: 148, length: 8)
    bytes += header
    bytes += content.utf8
    bytes += [UInt8](repeating: 0, count: (512 - content.utf8.count % 512) % 512)
  }

  /// Adds an extended header with records for the entry that follows.
  mutating func addPax(_ records: [(String, String)]) {
    var content = ""
    for (key, value) in records {
      let rest = " \(key)=\(value)\n"
      // The length counts its own digits.
      var length = rest.utf8.count + 1
      while "\(length)".utf8.count + rest.utf8.count != length {
        length = "\(length)".utf8.count + rest.utf8.count
      }
      content += "\(length)\(rest)"
    }
    add("PaxHeader/x", type: "x", content: content)
  }

  /// The archive with its two closing blocks.
  var finished: [UInt8] { bytes + [UInt8](repeating: 0, count: 1024) }

  private func octal(_ value: Int, digits: Int) -> String {
    let text = String(value, radix: 8)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }
}
