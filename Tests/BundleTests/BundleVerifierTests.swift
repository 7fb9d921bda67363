import Bundle
import Files
import Integrity
import Synchronization
import SystemPackage
import TestSupport
import Testing

@Suite struct BundleVerifierTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func problems(_ manifest: Manifest) async throws -> [BundleVerifier.Problem] {
    try manifest.save(to: folder.path)
    return try await BundleVerifier(outputs: folder.path, manifest: manifest, parallel: 2).verify()
  }

  @Test func aWholeBundleIsReadOnceAndHasNoProblem() async throws {
    let manifest = try folder.manifest(of: ["a": "one", "files/b": "twotwo", "empty": ""])
    try manifest.save(to: folder.path)
    let read = Mutex<Int64>(0)
    var seen: [String] = []
    let problems = try await BundleVerifier(outputs: folder.path, manifest: manifest, parallel: 0).verify {
      bytes in
      read.withLock { $0 += bytes }
    } onFile: { file, problem in
      seen.append(file.path.description)
      #expect(problem == nil)
    }
    #expect(problems.isEmpty)
    #expect(read.withLock { $0 } == 9)
    #expect(seen.sorted() == ["a", "empty", "files/b"])
  }

  @Test func everyKindOfDamageIsNamed() async throws {
    let manifest = try folder.manifest(of: [
      "changed": "one", "shorter": "two", "missing": "x", "linked": "y", "folder": "z", "whole": "w",
    ])
    try folder.write("eno", to: "changed")
    try folder.write("t", to: "shorter")
    for name in ["missing", "linked", "folder"] { try folder.remove(name) }
    // A link to the right content is no file of the bundle: it would not survive the journey.
    try folder.write("y", to: "elsewhere")
    try folder.link("elsewhere", at: "linked")
    try folder.write("z", to: "folder/z")
    let problems = try await problems(manifest)
    #expect(
      problems.map { "\($0.path) \($0.kind)" } == [
        "changed damaged", "elsewhere unexpected", "folder damaged", "folder/z unexpected", "linked damaged",
        "missing missing", "shorter damaged",
      ])
    #expect(problems[0].detail.contains("instead of \(Digest(of: Array("one".utf8)))"))
    #expect(problems[4].detail.contains("there is a link"))
    #expect(problems[6].detail == "it has 1 bytes instead of 3")
  }

  @Test func aDeviceThatIsReadInOrderIsReadByOne() async throws {
    let names = ["b", "a", "files/c", "d"]
    let texts = Dictionary(uniqueKeysWithValues: names.map { ($0, "text of \($0)") })
    let manifest = try folder.manifest(of: texts)
    try manifest.save(to: folder.path)
    let order = StorageDevice.order(manifest.files.map { folder.path.appending($0.path.description) })
    var seen: [String] = []
    let verifier = BundleVerifier(
      outputs: folder.path, manifest: manifest, parallel: 8, device: StorageDevice(isSequential: true))
    #expect(try await verifier.verify(onFile: { file, _ in seen.append(file.path.description) }).isEmpty)
    #expect(seen == order.map { manifest.files[$0].path.description })
  }

  @Test func aDeviceThatIsReadInOrderHasEachDamageFound() async throws {
    // Of more pieces than wait to be hashed, so that the reader may leave the rest of a file to others.
    let long = String(repeating: "long ", count: 2_000_000)
    let names = (0..<6).map { "files/\($0)" }
    var texts = Dictionary(uniqueKeysWithValues: names.map { ($0, "\($0) \(long)") })
    for number in 0..<400 { texts["small/\(number)"] = "\(number)" }
    let manifest = try folder.manifest(of: texts)
    try manifest.save(to: folder.path)
    try folder.write("files/3 \(long.dropLast())!", to: "files/3")
    try folder.write("x", to: "small/7")
    try folder.remove("small/8")
    try folder.remove("files/5")
    let read = Mutex<Int64>(0)
    let verifier = BundleVerifier(
      outputs: folder.path, manifest: manifest, parallel: 2, device: StorageDevice(isSequential: true))
    var seen = 0
    let problems = try await verifier.verify(
      onBytes: { bytes in read.withLock { $0 += bytes } }, onFile: { _, _ in seen += 1 })
    #expect(
      problems.map { "\($0.path) \($0.kind)" } == [
        "files/3 damaged", "files/5 missing", "small/7 damaged", "small/8 missing",
      ])
    #expect(seen == 406)
    #expect(read.withLock { $0 } == manifest.totalSize - Int64("files/5 \(long)".utf8.count) - 1)
  }

  @Test func sizesAloneTellWhatIsMissingOrShorterAndNothingMore() async throws {
    let manifest = try folder.manifest(of: ["changed": "one", "shorter": "two", "missing": "x", "whole": "w"])
    try manifest.save(to: folder.path)
    try folder.write("eno", to: "changed")
    try folder.write("t", to: "shorter")
    try folder.remove("missing")
    try folder.write("?", to: "extra")
    let read = Mutex<Int64>(0)
    let problems = try await BundleVerifier(outputs: folder.path, manifest: manifest, depth: .sizes).verify {
      bytes in
      read.withLock { $0 += bytes }
    }
    #expect(
      problems.map { "\($0.path) \($0.kind)" } == ["extra unexpected", "missing missing", "shorter damaged"])
    #expect(read.withLock { $0 } == 0)
  }

  @Test func whatWasWrittenToSinceItWasVerifiedIsNamedByItsTime() async throws {
    let manifest = try folder.manifest(of: ["changed": "one", "whole": "two"])
    try manifest.save(to: folder.path)
    let memory = try TemporaryFolder()
    let verified = VerifiedFiles(memory.path.appending(VerifiedFiles.fileName))
    for file in manifest.files {
      verified.record(folder.path.appending(file.path.description), stage: file.stage, sha256: file.sha256)
    }
    let path = folder.path.appending("changed")
    let before = try FileInfo(path).modified
    // The clock of the file system may be coarse.
    while try FileInfo(path).modified == before { try folder.write("eno", to: "changed") }
    let verifier = BundleVerifier(
      outputs: folder.path, manifest: manifest, depth: .sizes, verified: verified)
    let problems = try await verifier.verify()
    #expect(problems.map(\.path) == ["changed"] && problems[0].detail.contains("since it was verified"))
  }

  @Test(arguments: ["extra", "files/deep/extra", ".hidden", "a.part", "bundle.json.unfinished"])
  func whatIsNotInTheManifestIsNamed(_ name: String) async throws {
    let manifest = try folder.manifest(of: ["a": "one"])
    try folder.write("x", to: name)
    #expect(try await problems(manifest) == [.unexpected(name)])
  }

  @Test func emptyFoldersAreNoFiles() async throws {
    let manifest = try folder.manifest(of: ["a": "one"])
    try createDirectories(folder.path.appending("files/empty"))
    #expect(try await problems(manifest).isEmpty)
  }

  @Test func aLinkToAFolderIsNotFollowed() async throws {
    let manifest = try folder.manifest(of: ["a": "one"])
    try folder.link("/proc", at: "loop")
    #expect(try await problems(manifest) == [.unexpected("loop")])
  }

  @Test func aFolderThatIsGoneIsAnError() async throws {
    let manifest = try folder.manifest(of: ["a": "one"])
    let missing = FileError(.list, folder.path.appending("no"), .noSuchFileOrDirectory)
    await #expect(throws: missing) {
      try await BundleVerifier(outputs: folder.path.appending("no"), manifest: manifest, parallel: 1).verify()
    }
  }

  @Test func anInterruptionIsNoSuccess() async throws {
    let manifest = try folder.manifest(of: ["a": "one"])
    let verifier = BundleVerifier(outputs: folder.path, manifest: manifest, parallel: 1)
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return try await verifier.verify()
    }
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  @Test func emptyFoldersAreRemovedAndOthersStay() throws {
    try createDirectories(folder.path.appending("a/b/c"))
    try folder.write("x", to: "d/x")
    try createDirectories(folder.path.appending("d/e"))
    BundleTree.removeEmptyFolders(below: folder.path)
    #expect(try BundleTree.files(below: folder.path) == ["d/x"])
    for name in ["a", "d/e"] {
      let path = folder.path.appending(name)
      #expect(throws: FileError(.list, path, .noSuchFileOrDirectory)) { try BundleTree.files(below: path) }
    }
  }
}
