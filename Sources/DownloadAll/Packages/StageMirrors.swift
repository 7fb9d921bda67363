import Bundle
import Concurrency
import Mirrors

/// The mirrors of a stage, put together once in a run, and what their solvers decided.
struct StageMirrors: Sendable {
  let memory: ResolutionMemory
  let events: StageEvents
  private let made = Memo<[any Mirror]>()
  private let make: @Sendable () async throws -> [any Mirror]

  /// - Parameter make: Makes the mirrors; that is cheap, resolving them is not.
  init(
    _ memory: ResolutionMemory, _ events: StageEvents,
    _ make: @escaping @Sendable () async throws -> [any Mirror]
  ) {
    self.memory = memory
    self.events = events
    self.make = make
  }

  /// The mirrors.
  ///
  /// - Throws: What kept them from being made, the same to all who ask.
  func all() async throws -> [any Mirror] { try await made.value(make) }

  /// What a mirror is to hold.
  ///
  /// - Throws: What the mirror threw, the same to all who ask.
  func resolved(_ mirror: any Mirror) async throws -> ResolutionMemory.Resolved {
    try await memory.resolved(mirror) { events.begin(naming(mirror, in: $0)) }
  }

  /// A text with the mirror's name, where the stage may have several.
  func naming(_ mirror: any Mirror, in text: String) -> String {
    mirror.folder.description == events.stage.rawValue ? text : "\(mirror.folder): \(text)"
  }
}
