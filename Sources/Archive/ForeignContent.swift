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
  if let other = otherForms.first(where: { bytes.starts(with: $0.start) }) { return other.meaning }
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

/// How files begin that people take for archives, and what they are.
private let otherForms: [(start: [UInt8], meaning: String)] = [
  // Windows PowerShell takes what a program writes for text, and writes that in UTF-16.
  ([0xff, 0xfe], powershell), ([0xfe, 0xff], powershell),
  (
    Array("version https://git-lfs".utf8),
    "it is a pointer of Git LFS, and the file itself was not fetched: git lfs pull"
  ),
  ([0x04, 0x22, 0x4d, 0x18], unknownForm("lz4")), (Array("LZIP".utf8), unknownForm("lzip")),
  (Array("7z".utf8) + [0xbc, 0xaf, 0x27, 0x1c], unknownForm("7z")), (Array("Rar!".utf8), unknownForm("rar")),
  ([0x1f, 0x9d], unknownForm("compress")),
]

private let powershell =
  "it is UTF-16: the > of PowerShell has changed what a program wrote; let the program write the file, with -o or --output"

private func unknownForm(_ name: String) -> String {
  "it is packed with \(name), which is not read here: unpack it first"
}
