import Bundle
import Console
import Files
import Integrity
import Supply
import SystemPackage
import TestSupport
import Testing

@testable import TargetSetup

/// Which deltas are merged on a host, and where to.
@Suite struct MergeRunTests {
  let folder: TemporaryFolder
  var old: FilePath { folder.path.appending("old") }
  var new: FilePath { folder.path.appending("new") }
  var delta: FilePath { folder.path.appending("delta") }

  init() throws {
    folder = try TemporaryFolder()
    try folder.write("same", to: "old/files/same")
    try folder.write("one", to: "old/files/changed")
    try Manifest.describing(old).save(to: old)
    try folder.write("same", to: "new/files/same")
    try folder.write("two", to: "new/files/changed")
    try Manifest.describing(new).save(to: new)
  }

  private func makeDelta() async throws {
    let statement = try readBytes(new.appending(Manifest.fileName))
    let base = try DeltaBase(try #require(try Manifest.load(from: old)))
    _ = try await DeltaMaker(
      from: base, to: new, statement: statement, signatures: [], in: delta, tool: "test"
    ).run()
  }

  /// A policy of a host on which these may sign.
  private func policy(_ signers: String? = nil) throws -> TrustPolicy {
    if let signers { try folder.write(signers, to: "signers") }
    return TrustPolicy(
      signers: folder.path.appending("signers"), state: folder.path.appending("trust.json"),
      time: 1_800_000_000)
  }

  @Test func theNewBundleLiesBesideTheOldOne() async throws {
    try await makeDelta()
    let result = try await MergeRun.run(delta, bundle: old, into: nil, policy: try policy()) { _ in }
    let place = FilePath(result.report.folder)
    #expect(place.removingLastComponent() == folder.path)
    #expect(place.lastComponent?.string.hasPrefix("bundle-2.30.0-") == true)
    #expect(try content(of: place) == content(of: new))
    #expect(result.trust.summary.contains("not checked"))
  }

  @Test func whatNobodyWhoMayHasSignedIsNotTouched() async throws {
    try await makeDelta()
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ3jyDlLPqyD2d7xP1cyPfX5bCu0U8YxJcqzG1oR0K5b"
    let policy = try policy("alice namespaces=\"kubespray-offline-bundle\" \(key)\n")
    let into = folder.path.appending("into")
    await #expect(throws: TrustError.self) {
      try await MergeRun.run(delta, bundle: old, into: into, policy: policy) { _ in }
    }
    #expect(!fileExists(into))
  }

  @Test func withoutABaseThereIsNothingToMerge() async throws {
    try await makeDelta()
    try removeFile(old.appending(Manifest.fileName))
    await #expect(throws: StepError.self) {
      try await MergeRun.run(delta, bundle: old, into: nil, policy: try policy()) { _ in }
    }
  }

  @Test func theInventoryIsForTheSameBundle() throws {
    let bytes = try InventoryRun.bytes(of: old)
    let manifest = try #require(try Manifest.load(from: old))
    #expect(BundleIdentity(try Manifest(decoding: bytes)).isSame(as: BundleIdentity(manifest)))
  }
}
