import Files
import Foundation
import Host
import Integrity
import Registry
import SystemPackage
import TestRegistry
import Testing

/// Debian's `docker-registry`, for what only the real one can show.
struct DockerRegistry {
  static let isInstalled = findExecutable("docker-registry") != nil

  private static let readOnly = ", delete: {enabled: false}, maintenance: {readonly: {enabled: true}}"

  /// Its storage and configuration.
  let folder: FilePath

  init() throws {
    folder = try createTemporaryFolder(named: "docker-registry-test")
  }

  func remove() { try? removeTree(folder) }

  /// Runs the registry while the body works with it, on a port that the system chooses.
  ///
  /// - Parameters:
  ///   - passwords: Lines of an htpasswd file (bcrypt), if it shall ask for them.
  ///   - certificate: Files of a certificate and its key, if it shall speak TLS.
  ///   - port: Where it listens, if that was chosen before.
  ///   - isReadOnly: Whether it takes no pushes, as that of the admin host.
  ///   - megabytes: The size of its disk, a tmpfs that only it sees (wants root).
  func serving(
    passwords: String? = nil, certificate: (file: FilePath, key: FilePath)? = nil, port: Int = 0,
    megabytes: Int? = nil, isReadOnly: Bool = false, _ body: @Sendable (_ host: String) async throws -> Void
  ) async throws {
    let tls = certificate.map { ", tls: {certificate: \($0.file), key: \($0.key)}" } ?? ""
    var lines = [
      "version: 0.1", "log: {accesslog: {disabled: true}}",
      "storage: {filesystem: {rootdirectory: \(folder)/storage}\(isReadOnly ? Self.readOnly : "")}",
      "http: {addr: \"127.0.0.1:\(port)\"\(tls)}",
    ]
    if let passwords {
      try writeAtomically(passwords + "\n", to: folder.appending("htpasswd"))
      lines.append("auth: {htpasswd: {realm: test, path: \(folder)/htpasswd}}")
    }
    let configuration = folder.appending("config.yml")
    try writeAtomically(lines.joined(separator: "\n") + "\n", to: configuration)
    var command = Command("docker-registry", ["serve", configuration.string])
    if let megabytes {
      let storage = folder.appending("storage")
      try createDirectories(storage)
      let script = "mount -t tmpfs -o size=\(megabytes)m tmpfs \"$0\" && exec docker-registry serve \"$1\""
      command = Command("unshare", ["-m", "sh", "-c", script, storage.string, configuration.string])
    }
    let (hosts, continuation) = AsyncStream<String>.makeStream()
    try await withThrowingTaskGroup { group in
      group.addTask { [command] in
        defer { continuation.finish() }
        let result = try await command.run { line in
          guard let mark = line.firstRange(of: "listening on ") else { return }
          continuation.yield(String(line[mark.upperBound...].prefix { $0 != "\"" && $0 != "," }))
        }
        Issue.record("docker-registry ended by itself: \(result.standardError)")
      }
      var iterator = hosts.makeAsyncIterator()
      if let host = await iterator.next() { try await body(host) }
      group.cancelAll()
      // What it throws is that it was stopped.
      _ = await group.nextResult()
    }
  }

  /// Lays an image where the registry keeps it, as a push would (distribution, `registry/storage/paths.go`).
  func put(_ image: TestImage, in repository: String, tag: String) throws {
    for blob in [image.config] + image.layers {
      try lay(blob.bytes, blob.descriptor.digest)
      try link("\(repository)/_layers/sha256/\(blob.descriptor.digest.hex)", blob.descriptor.digest)
    }
    let digest = image.manifest.descriptor.digest
    try lay(image.manifest.bytes, digest)
    try link("\(repository)/_manifests/revisions/sha256/\(digest.hex)", digest)
    try link("\(repository)/_manifests/tags/\(tag)/current", digest)
  }

  private var storage: FilePath { folder.appending("storage/docker/registry/v2") }

  private func lay(_ bytes: [UInt8], _ digest: Digest) throws {
    let place = storage.appending("blobs/sha256/\(digest.hex.prefix(2))/\(digest.hex)")
    try createDirectories(place)
    try writeAtomically(bytes, to: place.appending("data"))
  }

  private func link(_ path: String, _ digest: Digest) throws {
    let place = storage.appending("repositories/\(path)")
    try createDirectories(place)
    try writeAtomically(digest.description, to: place.appending("link"))
  }
}
