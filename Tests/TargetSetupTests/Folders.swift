import Bundle
import Files
import Foundation
import Host
import Settings
import SystemPackage

@testable import TargetSetup

/// A folder for one test, removed after it.
///
/// - Parameter isOnDisk: False for one in memory, where the system has such a place: for tests that flush very often.
func withFolder(isOnDisk: Bool = true, _ body: (FilePath) throws -> Void) throws {
  let folder = try newFolder(isOnDisk: isOnDisk)
  defer { try? FileManager.default.removeItem(atPath: folder.string) }
  try body(folder)
}

/// A folder for one test, removed after it.
func withFolder(_ body: (FilePath) async throws -> Void) async throws {
  let folder = try newFolder()
  defer { try? FileManager.default.removeItem(atPath: folder.string) }
  try await body(folder)
}

private func newFolder(isOnDisk: Bool = true) throws -> FilePath {
  let hasMemory = !isOnDisk && FileManager.default.isWritableFile(atPath: "/dev/shm")
  let folder = FilePath(hasMemory ? "/dev/shm" : FileManager.default.temporaryDirectory.path)
    .appending("target-setup-\(UUID().uuidString)")
  try createDirectories(folder)
  return folder
}

/// Writes a file and the folders above it.
func put(_ text: String, at path: FilePath) throws {
  try createDirectories(path.removingLastComponent())
  try writeAtomically(text, to: path)
}

/// The text of a file; `nil` when there is none.
func text(_ path: FilePath) -> String? {
  FileManager.default.contents(atPath: path.string).map { String(decoding: $0, as: UTF8.self) }
}

/// Everything below a folder: the path with mode and content of each file, link and folder.
func content(of folder: FilePath) throws -> [String: String] {
  var found: [String: String] = [:]
  let names = FileManager.default.enumerator(atPath: folder.string)
  while let name = names?.nextObject() as? String {
    let path = folder.pushing(FilePath(name))
    let attributes = try FileManager.default.attributesOfItem(atPath: path.string)
    let mode = attributes[.posixPermissions] as? Int ?? 0
    let link = try? FileManager.default.destinationOfSymbolicLink(atPath: path.string)
    found[name] = "\(String(mode, radix: 8)) \(link ?? text(path) ?? "folder")"
  }
  return found
}

/// A host in a temporary folder, whose commands are answered by the test.
func context(
  root: FilePath, bundle: FilePath, system: String = "ID=debian\nVERSION_ID=12", server: String? = nil,
  address: String = "10.0.0.5", runner: @escaping CommandRunner = { command, _ in try await command.run() }
) -> SetupContext {
  var configuration = Configuration()
  configuration.target.address = address
  configuration.kubespray.version = "2.30.0"
  configuration.packages.host = "debian-12"
  if let port = server?.split(separator: ":").last.flatMap({ Int($0) }) {
    configuration.target.address = "127.0.0.1"
    configuration.nginx.port = port
  }
  let host = TargetHost(
    root: root, stateFolder: configuration.target.directory, system: OSRelease.parse(system),
    initSystem: .none,
    interfaces: NetworkInterfaces(routed: nil, addresses: []), runner: runner)
  return SetupContext(
    host: host, bundle: ArrivedBundle(bundle, manifest: nil), configuration: configuration)
}
