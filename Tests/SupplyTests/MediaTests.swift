import Bundle
import Files
import Integrity
import SystemPackage
import TestSupport
import Testing

@testable import Supply

/// join(media(B)) is B, whatever happened on the way.
@Suite struct MediaTests {
  let folder: TemporaryFolder
  var source: FilePath { folder.path.appending("source") }
  var joined: FilePath { folder.path.appending("joined") }

  init() throws { folder = try TemporaryFolder(isOnDisk: false) }

  /// Media as they are sold, a thousandth of their size: 700 MB, 4.7 GB, what FAT calls 4 GB, 2 GiB - 1.
  static let capacities: [Int64] = [1 << 20, 1_400_000, 4_700_000, (1 << 21) - 1]

  private static let large = Dice.noise(2_500_000, seed: 1)

  private func medium(_ part: Int) -> FilePath { folder.path.appending("medium\(part)") }

  /// A bundle with a file that is larger than small media, and many that are not.
  private func makeSource() throws {
    var bundle = SmallBundle(signature: "signed")
    bundle.files["files/large"] = Self.large
    bundle.files["lib/program"] = Array(Self.large.suffix(400_000))
    for number in 0..<12 {
      bundle.files["debs/p\(number)_1_all.deb"] = Array(Self.large.dropFirst(number * 60_000).prefix(60_000))
    }
    bundle.files["files/empty"] = []
    try bundle.make(in: source)
  }

  /// Writes all media; how many there are.
  private func write(_ capacity: Int64) async throws -> Int {
    let plan = try MediaPlan(try MediaContent(source), capacity: capacity)
    for part in 1...plan.set.parts {
      let report = try await MediaWriter(plan, part: part, to: medium(part)).run()
      #expect(report.bytes <= capacity)
    }
    return plan.set.parts
  }

  private func join(_ parts: [Int]) async throws -> MediaJoin.Report {
    try await MediaJoin(parts.map(medium), into: joined).run()
  }

  private func expectJoined() throws { #expect(try bytes(below: joined) == bytes(below: source)) }

  private func change(_ path: FilePath) throws {
    var bytes = try readBytes(path)
    bytes[bytes.count / 2] ^= 1
    try writeAtomically(bytes, to: path)
  }

  /// The largest file on a medium.
  private func largest(on part: Int) throws -> FilePath {
    let names = try BundleTree.files(below: medium(part)).filter { $0 != MediaIndex.fileName }
    let places = names.map { medium(part).appending(FilePath($0).components) }
    return try #require(
      places.max { (FileInfo(regularFile: $0)?.size ?? 0) < (FileInfo(regularFile: $1)?.size ?? 0) })
  }

  @Test(arguments: capacities)
  func mediaGiveWhatTheyWereMadeOfInAnyOrderAndSitting(_ capacity: Int64) async throws {
    try makeSource()
    let parts = try await write(capacity)
    let whole = try bytes(below: source).values.reduce(0) { $0 + $1.count }
    var carried = 0
    for part in 1...parts { carried += try bytes(below: medium(part)).values.reduce(0) { $0 + $1.count } }
    // At most 2 % more, but for the index on each medium, which here is large beside the medium.
    let index = try readBytes(medium(1).appending(MediaIndex.fileName)).count
    #expect(carried - parts * index <= whole * 102 / 100)
    #expect(try await join(Array((1...parts).reversed())).isComplete)
    try expectJoined()
    // Once more: nothing is to be done.
    #expect(try await join([1]).isComplete)
    try removeTree(joined)
    for part in (1...parts).reversed() {
      let report = try await join([part])
      #expect(report.isComplete == (part == 1))
      #expect(fileExists(joined.appending("bundle.json")) == (part == 1))
    }
    try expectJoined()
  }

  @Test(arguments: capacities)
  func aMediumThatIsMissingIsNamedWithWhatIsOnIt(_ capacity: Int64) async throws {
    try makeSource()
    let parts = try await write(capacity)
    guard parts > 1 else { return }
    let report = try await join(Array(2...parts))
    #expect(!report.isComplete && report.parts[0].state == .missing && !report.parts[0].examples.isEmpty)
    #expect(report.parts.dropFirst().allSatisfy { $0.state == .complete })
    #expect(!fileExists(joined.appending("bundle.json")))
    #expect(try await join([1]).isComplete)
    try expectJoined()
  }

  @Test(arguments: capacities)
  func aChangedByteIsNamedAndThatMediumIsMadeAgainAlone(_ capacity: Int64) async throws {
    try makeSource()
    let parts = try await write(capacity)
    let path = try largest(on: parts)
    try change(path)
    let report = try await join(Array(1...parts))
    #expect(!report.isComplete && report.parts[parts - 1].state == .damaged)
    #expect(report.problems.count == 1 && report.problems[0].hasPrefix("\(path): its digest is"))
    let plan = try MediaPlan(try MediaContent(source), capacity: capacity)
    _ = try await MediaWriter(plan, part: parts, to: medium(parts)).run()
    #expect(try await join([parts]).isComplete)
    try expectJoined()
  }

  @Test(arguments: capacities)
  func aMediumOfAnotherSetIsRefusedAndTheOthersAreTaken(_ capacity: Int64) async throws {
    try makeSource()
    let parts = try await write(capacity)
    let other = folder.path.appending("other")
    try SmallBundle(files: ["files/a": [1]], kubespray: "2.31.0").make(in: other)
    let plan = try MediaPlan(try MediaContent(other), capacity: capacity)
    _ = try await MediaWriter(plan, part: 1, to: medium(99)).run()
    let report = try await join(Array(1...parts) + [99])
    #expect(report.isComplete && report.problems.count == 1)
    #expect(report.problems[0].contains("2.30.0") && report.problems[0].contains("2.31.0"))
    try expectJoined()
    // Nor is it written over another one.
    await #expect(throws: MediaError.self) { try await MediaWriter(plan, part: 1, to: medium(1)).run() }
  }

  @Test(arguments: capacities)
  func whatWasKilledGoesOn(_ capacity: Int64) async throws {
    try makeSource()
    let parts = try await write(capacity)
    // As a kill leaves it: a medium that was not finished, and a folder with a part of the large file.
    try moveFile(
      medium(1).appending(MediaIndex.fileName), to: medium(1).appending(MediaIndex.unfinishedFileName))
    try writeAtomically("torn", to: medium(1).appending("content/.incomplete.x.tmp"))
    try removeFile(try largest(on: 1))
    #expect(throws: MediaError.noMedium(medium(1))) { try MediaJoin([medium(1)], into: joined) }
    let plan = try MediaPlan(try MediaContent(source), capacity: capacity)
    _ = try await MediaWriter(plan, part: 1, to: medium(1)).run()
    if parts > 1 { _ = try await join([parts]) }
    let files = (try? BundleTree.files(below: joined)) ?? []
    for name in files where IncompleteName.matches(name) && name != MediaIndex.begunName {
      try writeAtomically([1, 2, 3], to: joined.appending(FilePath(name).components))
    }
    #expect(try await join(Array(1...parts)).isComplete)
    try expectJoined()
  }

  @Test func aFolderWithSomethingElseIsLeftAsItIs() async throws {
    try makeSource()
    _ = try await write(4_700_000)
    try folder.write("mine", to: "joined/notes")
    await #expect(throws: MediaError.occupied(joined, by: "notes")) { try await join([1]) }
    try folder.write("mine", to: "stick/content/notes")
    let plan = try MediaPlan(try MediaContent(source), capacity: 4_700_000)
    let stick = folder.path.appending("stick")
    await #expect(throws: MediaError.occupied(stick, by: "content")) {
      try await MediaWriter(plan, part: 1, to: stick).run()
    }
  }

  @Test func aDeltaTravelsToo() async throws {
    let (old, new) = (folder.path.appending("old"), folder.path.appending("new"))
    let manifest = try SmallBundle(files: ["files/a": [1]]).make(in: old)
    try SmallBundle(files: ["files/a": [1], "files/b": Dice.noise(900_000, seed: 3)], signature: "s").make(
      in: new)
    _ = try await DeltaMaker(from: DeltaBase(manifest), to: new, in: source).run()
    let parts = try await write(1 << 20)
    #expect(parts == 2)
    #expect(try await join([2, 1]).isComplete)
    try expectJoined()
    _ = try await DeltaMerge(joined, base: old, into: folder.path.appending("merged")).run()
    #expect(try bytes(below: folder.path.appending("merged")) == bytes(below: new))
  }
}
