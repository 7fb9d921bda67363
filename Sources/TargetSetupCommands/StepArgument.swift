import ArgumentParser
import TargetSetup

/// The steps of those names; `all` stands for all of them.
///
/// - Throws: `ValidationError` that says what could have been meant.
func stepArguments(_ texts: [String], all: [StepName]) throws -> [StepName] {
  guard !texts.isEmpty else {
    throw ValidationError("say what to do: \"all\", or steps by name (\(names)). --help explains them.")
  }
  return try texts.flatMap { text -> [StepName] in
    if text == "all" { return all }
    if let step = StepName(rawValue: text) { return [step] }
    let commands = TargetSetupCommand.configuration.subcommands.compactMap { $0.configuration.commandName }
    if commands.contains(text) {
      throw ValidationError(
        "\"\(text)\" is a command; put it before any step: target-setup \(text) [OPTIONS]")
    }
    throw ValidationError(
      "\"\(text)\" is neither a step (all, \(names)) nor a command (\(commands.joined(separator: ", ")))")
  }
}

private let names = StepName.allCases.map(\.rawValue).joined(separator: ", ")

extension CompletionKind {
  /// The names of the steps, and "all".
  static var steps: CompletionKind { .list(["all"] + StepName.allCases.map(\.rawValue)) }
}
