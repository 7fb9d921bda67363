import Bundle
import Files
import Integrity
import SystemPackage
import TestSupport
import Testing

@testable import Supply

/// merge(delta(A, B), A) is B, and A stays as it was.
@Suite struct DeltaTests {
  let folder: TemporaryFolder
  var old: FilePath { folder.path.appending("old") }
  var new: FilePath { folder.path.appending("new") }
  var delta: FilePath { folder.path.appending("delta") }
  var merged: FilePath { folder.path.appending("merged") }

  init() throws { folder = try TemporaryFolder(isOnDisk: false) }

  /// A large blob that two bundles share, and what is new in the second.
  private static let shared = Dice.noise(300_000, seed: 1)
  private static let fresh = Dice.noise(90_000, seed: 2)

  private static let first = SmallBundle(
    files: ["files/kept": Array("kept".utf8), "files/gone": Array("gone".utf8), "files/changed": [1]],
    images: ["images/a.tar.gz": .init(reference: "example.com/a:1", blobs: [shared, [1, 2, 3]])])
  private static let second = SmallBundle(
    files: ["files/kept": Array("kept".utf8), "files/moved": Array("gone".utf8), "files/changed": [2]],
    images: [
      "images/a.tar.gz": .init(reference: "example.com/a:2", blobs: [shared, fresh]),
      "images/b.tar.gz": .init(reference: "example.com/b:1", blobs: [fresh, shared]),
    ], kubespray: "2.31.0", signature: "signed")

  private func makeBoth() throws -> Manifest {
    let manifest = try Self.first.make(in: old)
    try Self.second.make(in: new)
    return manifest
  }

  /// In ten parts, which need not wait for one another.
  @Test("A hundred random pairs", arguments: 0..<10)
  func randomPairs(_ part: Int) async throws {
    var dice = Dice(2026 + UInt64(part))
    for round in 0..<10 {
      let folder = try TemporaryFolder(isOnDisk: false)
      let (old, new) = (folder.path.appending("old"), folder.path.appending("new"))
      let (delta, merged) = (folder.path.appending("delta"), folder.path.appending("merged"))
      let manifest = try SmallBundle.random(&dice).make(in: old)
      try SmallBundle.random(&dice).make(in: new)
      let before = try bytes(below: old)
      let base =
        switch round % 3 {
        case 0: try DeltaBase(manifest)
        case 1: try DeltaBase(manifest, in: old)
        default: try DeltaBase(try manifest.inventory(of: old))
        }
      _ = try await DeltaMaker(from: base, to: new, in: delta).run()
      _ = try await DeltaMerge(delta, base: old, into: merged).run()
      #expect(try bytes(below: merged) == bytes(below: new), "pair \(round) of \(part)")
      #expect(try bytes(below: old) == before, "pair \(round) of \(part)")
      if let difference = try lackingOrDouble(delta, new, old) {
        Issue.record("pair \(round) of \(part): \(difference)")
      }
    }
  }

  /// What a delta carries although the base has it, or carries twice.
  private func lackingOrDouble(_ delta: FilePath, _ new: FilePath, _ old: FilePath) throws -> String? {
    let known = Set(try bytes(below: old).values.filter { !$0.isEmpty })
    var seen: Set<[UInt8]> = []
    for (name, content) in try bytes(below: delta)
    where name.hasPrefix("new/") && !name.contains("bundle.json") {
      if known.contains(content) { return "\(name) is in the base" }
      if !seen.insert(content).inserted { return "\(name) is there twice" }
    }
    return nil
  }

  @Test func onlyWhatIsNewIsCarried() async throws {
    let report = try await DeltaMaker(from: DeltaBase(try makeBoth()), to: new, in: delta).run()
    #expect(
      try BundleTree.files(below: delta.appending("new")) == [
        "bundle.json", "bundle.json.sig", "files/changed",
      ])
    #expect(report.files == 1 && report.archives == 2)
    // The blob that is new once, what lies between blobs twice.
    #expect(report.newBytes < 90_000 + 2 * 10_000)
    let merge = try DeltaMerge(delta, base: old, into: merged)
    let result = try await merge.run()
    #expect(try bytes(below: merged) == bytes(below: new))
    #expect(result.fromBase == 2 && result.shared == 2 && result.fromDelta == 1 && result.rebuilt == 2)
    let again = try await merge.run()
    #expect(again.present == 5 && again.written == 0)
  }

  @Test func aBaseThatSaysNoBlobsIsServedWholeImagesUnlessItIsLookedAt() async throws {
    var first = Self.first
    first.listsBlobs = false
    let manifest = try first.make(in: old)
    var second = Self.second
    second.images["images/b.tar.gz"] = nil
    try second.make(in: new)
    let blind = try DeltaBase(manifest)
    #expect(blind.unknown.map(\.description) == ["images/a.tar.gz"])
    #expect(try await DeltaMaker(from: blind, to: new, in: delta).run().archives == 0)
    let inventory = try DeltaBase(try manifest.inventory(of: old))
    // The same folder: what is no longer needed there goes.
    #expect(inventory.unknown.isEmpty)
    #expect(try await DeltaMaker(from: inventory, to: new, in: delta).run().archives == 1)
    _ = try await DeltaMerge(delta, base: old, into: merged).run()
    #expect(try bytes(below: merged) == bytes(below: new))
    #expect(!fileExists(delta.appending("new/images/a.tar.gz")))
  }

  @Test func aDeltaForAnotherBundleIsRefusedByBothNames() async throws {
    _ = try await DeltaMaker(from: DeltaBase(try makeBoth()), to: new, in: delta).run()
    var error: DeltaError?
    do { _ = try DeltaMerge(delta, base: new, into: merged) } catch let found as DeltaError { error = found }
    let text = try #require(error).description
    #expect(text.contains("kubespray 2.30.0") && text.contains("kubespray 2.31.0"), "\(text)")
    #expect(!fileExists(merged))
  }

  @Test func whatWasStoppedGoesOn() async throws {
    _ = try await DeltaMaker(from: DeltaBase(try makeBoth()), to: new, in: delta).run()
    _ = try await DeltaMerge(delta, base: old, into: merged).run()
    // As a kill leaves it: no manifest, a file that was not begun, one that was, and another with other bytes.
    try moveFile(merged.appending("bundle.json"), to: merged.appending("bundle.json.unfinished"))
    try removeFile(merged.appending("files/kept"))
    try removeFile(merged.appending("images/b.tar.gz"))
    try writeAtomically("torn", to: merged.appending("images/.incomplete.b.tar.gz.tmp"))
    try writeAtomically([9], to: merged.appending("files/changed"))
    _ = try await DeltaMerge(delta, base: old, into: merged).run()
    #expect(try bytes(below: merged) == bytes(below: new))
    try moveFile(delta.appending("delta.json"), to: delta.appending("delta.json.unfinished"))
    try removeFile(delta.appending("new/files/changed"))
    await #expect(throws: DeltaError.noDelta(delta)) {
      try await DeltaMerge(delta, base: old, into: merged).run()
    }
    _ = try await DeltaMaker(from: DeltaBase(try #require(try Manifest.load(from: old))), to: new, in: delta)
      .run()
    _ = try await DeltaMerge(delta, base: old, into: merged).run()
  }

  @Test func aFolderWithSomethingElseIsLeftAsItIs() async throws {
    let base = try DeltaBase(try makeBoth())
    try folder.write("mine", to: "delta/notes")
    await #expect(throws: DeltaError.occupied(delta, by: "notes")) {
      try await DeltaMaker(from: base, to: new, in: delta).run()
    }
    try folder.remove("delta/notes")
    _ = try await DeltaMaker(from: base, to: new, in: delta).run()
    try folder.write("mine", to: "merged/notes")
    await #expect(throws: DeltaError.occupied(merged, by: "notes")) {
      try await DeltaMerge(delta, base: old, into: merged).run()
    }
    #expect(throws: DeltaError.overlapping(old.appending("in"), old)) {
      try DeltaMerge(delta, base: old, into: old.appending("in"))
    }
    #expect(throws: DeltaError.overlapping(new.appending("in"), new)) {
      try DeltaMaker(from: base, to: new, in: new.appending("in"))
    }
  }

  @Test(arguments: ["old/images/a.tar.gz", "old/files/kept", "delta/new/files/changed", "delta/pieces"])
  func whatIsDamagedIsNamedAndNoBundleComesOfIt(_ name: String) async throws {
    _ = try await DeltaMaker(from: DeltaBase(try makeBoth()), to: new, in: delta).run()
    var path = folder.path.appending(FilePath(name).components)
    if name == "delta/pieces" { path.append(try #require(try listFolder(path).first)) }
    var bytes = try readBytes(path)
    bytes[bytes.count / 2] ^= 1
    try writeAtomically(bytes, to: path)
    do {
      _ = try await DeltaMerge(delta, base: old, into: merged).run()
      Issue.record("it was merged")
    } catch let errors as DeltaErrors {
      #expect(errors.all.allSatisfy { "\($0)".hasPrefix("\(path): ") }, "\(errors)")
    }
    #expect(!fileExists(merged.appending("bundle.json")))
  }

  @Test func noLinkIsFollowed() async throws {
    _ = try await DeltaMaker(from: DeltaBase(try makeBoth()), to: new, in: delta).run()
    try writeAtomically([2], to: folder.path.appending("elsewhere"))
    try removeFile(delta.appending("new/files/changed"))
    try createLink(delta.appending("new/files/changed"), to: "../../../elsewhere")
    await #expect(throws: DeltaErrors.self) { try await DeltaMerge(delta, base: old, into: merged).run() }
  }

  @Test func aDeltaHealsTheBundleThatItIsMadeOf() async throws {
    let manifest = try Self.second.make(in: new)
    try Self.second.make(in: old)
    // The same closing: a copy that was damaged on its way.
    for name in ["bundle.json", "bundle.json.sig"] {
      try writeAtomically(try readBytes(new.appending(name)), to: old.appending(name))
    }
    try writeAtomically([7], to: old.appending("files/changed"))
    try removeFile(old.appending("images/b.tar.gz"))
    let problems = try await BundleVerifier(outputs: old, manifest: manifest).verify()
    let list = folder.path.appending("damage.json")
    try DamageList(problems, of: manifest).write(to: list)
    let damage = try DamageList(reading: list)
    try damage.check(for: manifest, list)
    #expect(damage.files.map(\.description) == ["files/changed", "images/b.tar.gz"])
    let base = try DeltaBase(manifest, in: new, damaged: damage.files)
    let report = try await DeltaMaker(from: base, to: new, in: delta).run()
    // Its blobs are in the other image.
    #expect(report.files == 1 && report.archives == 1 && report.newBytes < 10_000)
    let result = try await DeltaMerge(delta, base: old, into: nil).run()
    #expect(result.fromDelta == 1 && result.rebuilt == 1)
    #expect(try bytes(below: old) == bytes(below: new))
    let other = try Self.first.make(in: folder.path.appending("other"))
    #expect(throws: DeltaError.self) { try damage.check(for: other, list) }
  }
}
