/// The text with the values of query parameters replaced by `***` that may open something: those of signed addresses of
/// object storage, access tokens, keys. When in doubt more is hidden, never less.
public func maskingQuerySecrets(in text: String) -> String {
  let bytes = Array(text.utf8)
  guard bytes.contains(UInt8(ascii: "?")), bytes.contains(UInt8(ascii: "=")) else { return text }
  var result: [UInt8] = []
  result.reserveCapacity(bytes.count)
  var position = 0
  var isInQuery = false
  while position < bytes.count {
    let byte = bytes[position]
    result.append(byte)
    position += 1
    if byte == UInt8(ascii: "?") { isInQuery = true }
    if isEndOfAddress(byte) { isInQuery = false }
    guard isInQuery, byte == UInt8(ascii: "?") || byte == UInt8(ascii: "&") || byte == UInt8(ascii: ";")
    else {
      continue
    }
    let name = bytes[position...].prefix {
      $0 != UInt8(ascii: "=") && $0 != UInt8(ascii: "&") && !isEndOfAddress($0)
    }
    let equals = position + name.count
    guard equals < bytes.count, bytes[equals] == UInt8(ascii: "="), mayOpen(name) else { continue }
    let value = bytes[(equals + 1)...].prefix { $0 != UInt8(ascii: "&") && !isEndOfAddress($0) }
    result += name + Array("=***".utf8)
    position = equals + 1 + value.count
  }
  return String(decoding: result, as: UTF8.self)
}

/// Whether a parameter of that name may have a secret as its value.
private func mayOpen(_ name: ArraySlice<UInt8>) -> Bool {
  let name = String(decoding: name, as: UTF8.self).lowercased()
  return ["token", "sig", "secret", "passw", "pwd", "credential", "auth", "key", "session", "jwt", "sas"]
    .contains { name.contains($0) }
}

private func isEndOfAddress(_ byte: UInt8) -> Bool { byte <= 0x20 || "\"'<>`#".utf8.contains(byte) }
