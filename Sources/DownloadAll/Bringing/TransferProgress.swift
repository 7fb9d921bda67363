import Bundle
import Console
import Transfer

/// Tells people, and the rate of the run, what happens to transfers.
struct TransferProgress: Sendable {
  let emit: @Sendable (ConsoleEvent) -> Void
  let rate: TransferRate

  /// Takes the events of a transfer that begins now.
  ///
  /// - Parameters:
  ///   - stage: The stage for which it is.
  ///   - name: What is transferred, where the URL is not what people know it by.
  func events(of stage: StageName, named name: String? = nil) -> @Sendable (DownloadEvent) -> Void {
    rate.begin()
    let stage = stage.rawValue
    return { [emit, rate] event in
      switch event {
      case .resumed(let bytes): emit(.bytes(stage, bytes))
      case .received(let bytes):
        emit(.bytes(stage, bytes))
        rate.note(bytes)
      case .discarded(let bytes): emit(.bytes(stage, -bytes))
      case .retrying(let error, let pause):
        let text = "\(name ?? error.url): \(error.detail); next attempt in \(DurationText.format(pause))"
        emit(.message(.warning, text, stage: stage))
      }
    }
  }
}
