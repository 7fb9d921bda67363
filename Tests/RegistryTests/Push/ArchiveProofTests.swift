import Files
import Foundation
import Integrity
import Synchronization
import SystemPackage
import TestRegistry
import TestServer
import Testing

@testable import Registry

/// Archives that are proved while others are sent.
@Suite(.timeLimit(.minutes(10))) struct ArchiveProofTests {
  private struct Refused: Error {}

  private let fixture: PushFixture
  private let registry: TestRegistry

  init() throws {
    fixture = try PushFixture()
    registry = try TestRegistry()
  }

  private func archives() throws -> [FilePath] {
    try ["bad", "good", "worse"].enumerated().map { number, name in
      registry.accept("library/\(name)", ["1"])
      return try fixture.archive("\(name):1", PushFixture.image([90_000, 70 + number]))
    }
  }

  @Test("When an archive is not as it must be, no image can be pulled, and all such archives are named")
  func refused() async throws {
    let archives = try archives()
    let push = try fixture.push(to: registry.host) {
      $0.archivesAreProved = true
      $0.prove = { path, _ in if path != archives[1] { throw Refused() } }
    }
    let error = await #expect(throws: ArchivesRefused.self) { try await push.push(archives) }
    #expect(error?.archives.map(\.archive) == [archives[0], archives[2]])
    for name in ["bad", "good", "worse"] { #expect(registry.manifest("library/\(name)", "1") == nil) }
    for name in ["bad", "worse"] { #expect(registry.blobs(in: "library/\(name)").isEmpty) }
  }

  @Test("Each archive is read once, before anything of it is sent, and manifests come when all were read")
  func order() async throws {
    let archives = try archives()
    let proved = Mutex<[FilePath]>([])
    let server = registry.server
    let isEarly = Mutex(false)
    let results = try await fixture.push(to: registry.host) {
      $0.archivesAreProved = true
      $0.prove = { path, _ in
        proved.withLock { $0.append(path) }
        let name = path.lastComponent?.string.prefix { $0 != "-" }.split(separator: "_").last ?? ""
        let early = server.requests.contains {
          $0.method == "PUT" && ($0.path.contains("/manifests/") || $0.path.contains("/\(name)/"))
        }
        if early { isEarly.withLock { $0 = true } }
      }
    }.push(archives)
    #expect(results.allSatisfy { $0.outcome == .pushed(replaced: nil) }, "\(results)")
    #expect(!isEarly.withLock { $0 })
    #expect(proved.withLock { $0.map(\.string).sorted() } == archives.map(\.string).sorted())
  }

  @Test("Images that the registry has cost no reading of their archives")
  func present() async throws {
    registry.accept("library/one", ["1"])
    let archive = try fixture.archive("one:1", PushFixture.image([5_000]))
    _ = try await fixture.push(to: registry.host).push([archive])
    let results = try await fixture.push(to: registry.host) {
      $0.prove = { _, _ in throw Refused() }
    }.push([archive])
    #expect(results.map(\.outcome) == [.present])
  }

  @Test("What is wrong with an archive that cannot be read is told by its proof")
  func unreadable() async throws {
    let archive = try fixture.archive("one:1", PushFixture.image([5_000]))
    try writeAtomically("no archive", to: archive)
    let push = try fixture.push(to: registry.host) { $0.prove = { _, _ in throw Refused() } }
    let error = await #expect(throws: ArchivesRefused.self) { try await push.push([archive]) }
    #expect(error?.archives.first?.error is Refused)
    let without = try await fixture.push(to: registry.host).push([archive])
    #expect(without.first?.failure.map { !($0 is Refused) } == true)
  }

  @Test("A push that is ended does not read an archive to its end", arguments: [true, false])
  func cancelled(isReadable: Bool) async throws {
    registry.accept("library/one", ["1"])
    let archive = try fixture.archive("one:1", PushFixture.image([5_000]))
    if !isReadable { try writeAtomically("no archive", to: archive) }
    let (started, begin) = AsyncStream.makeStream(of: Void.self)
    let push = try fixture.push(to: registry.host) {
      $0.prove = { _, goOn in
        begin.yield()
        // A medium that never comes to an end.
        while true { try goOn() }
      }
    }
    let run = Task { try await push.push([archive]) }
    for await _ in started { break }
    run.cancel()
    await #expect(throws: CancellationError.self) { try await run.value }
  }
}
