import ArgumentParser
import Bundle
import CommandSupport
import Settings

/// The stage of that name.
///
/// - Throws: `ValidationError` that says what could have been meant.
func stageArgument(_ text: String) throws -> StageName {
  if let stage = StageName(rawValue: text) { return stage }
  let commands = DownloadAllCommand.configuration.subcommands.compactMap { $0.configuration.commandName }
  if commands.contains(text) {
    throw ValidationError(
      "\"\(text)\" is a command; put it before any stage: download-all \(text) [OPTIONS]")
  }
  let stages = StageName.allCases.map(\.rawValue).joined(separator: ", ")
  throw ValidationError(
    "\"\(text)\" is neither a stage (\(stages)) nor a command (\(commands.joined(separator: ", ")))")
}

extension CompletionKind {
  /// The names of the stages.
  static var stages: CompletionKind { .list(StageName.allCases.map(\.rawValue)) }
}
