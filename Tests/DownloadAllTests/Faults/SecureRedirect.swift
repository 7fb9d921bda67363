import Files
import Foundation
import SystemPackage
import Testing

/// A server with TLS that answers every request with a redirect to an address without: OpenSSL's own test server.
final class SecureRedirect: Sendable {
  /// Its address.
  let url: String
  /// The certificate by which it is known.
  let certificate: FilePath
  private let folder: FilePath
  private let process: Process

  /// - Throws: `FileError`, ``Missing``, or what starting a process throws.
  init() throws {
    folder = try createTemporaryFolder(named: "secure-redirect")
    certificate = folder.appending("certificate.pem")
    let key = folder.appending("key.pem").string
    try Self.openssl([
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
      "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out",
      certificate.string,
    ]).waitUntilExit()
    try writeAtomically(
      "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/elsewhere\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
      to: folder.appending("answer"))
    let output = Pipe()
    // The port is the system's choice, and is told in the first line.
    process = try Self.openssl(
      ["s_server", "-accept", "127.0.0.1:0", "-HTTP", "-cert", certificate.string, "-key", key],
      in: folder, output: output)
    var text = ""
    while !text.contains("\n") || !text.contains("ACCEPT") {
      let piece = output.fileHandleForReading.availableData
      if piece.isEmpty { throw Missing(what: "openssl s_server has ended: \(text)") }
      text += String(decoding: piece, as: UTF8.self)
    }
    let port = text.split(separator: "\n").first { $0.hasPrefix("ACCEPT") }?.split(separator: ":").last
    url = "https://127.0.0.1:\(port ?? "")/answer"
  }

  deinit {
    process.terminate()
    try? removeTree(folder)
  }

  struct Missing: Error, CustomStringConvertible {
    let what: String
    var description: String { what }
  }

  @discardableResult
  private static func openssl(
    _ arguments: [String], in folder: FilePath? = nil, output: Pipe? = nil
  ) throws -> Process {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/openssl")
    process.arguments = arguments
    if let folder { process.currentDirectoryURL = URL(filePath: folder.string) }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output ?? FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    return process
  }
}
