import Files
import SystemPackage

/// What a file that is not an archive seems to be instead, by its first bytes; nil when that is not evident.
///
/// The usual cases are the error page of a proxy or a log-in page that was saved under the archive's name.
func describeForeignContent(_ path: FilePath) -> String? {
  (try? readBeginning(path, count: 512)).flatMap { describeForeignContent($0) }
}

/// The same for the first bytes of a file.
func describeForeignContent(_ bytes: some Collection<UInt8>) -> String? {
  guard !bytes.isEmpty else { return "it is empty" }
  guard !bytes.contains(where: { $0 < 9 || $0 == 0x7f }) else { return nil }
  let text = String(decoding: bytes, as: UTF8.self)
  let start = text.drop { $0.isWhitespace || $0 == "\u{feff}" }.lowercased()
  if start.hasPrefix("<!doctype html") || start.contains("<html") || start.hasPrefix("<head") {
    return "looks like an HTML page"
  }
  if start.hasPrefix("<") { return "looks like XML" }
  if start.hasPrefix("{") || start.hasPrefix("[") { return "looks like JSON" }
  return text.unicodeScalars.contains("\u{fffd}") ? nil : "looks like text"
}
