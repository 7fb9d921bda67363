import ArgumentParser

/// The script with which a shell completes a program.
///
/// ArgumentParser writes scripts that know the options of a default command only behind its name, and nobody types that. So
/// a program describes itself for this once more, with all of its default command at the top.
enum CompletionScript {
  private static let option = "--generate-completion-script"

  /// The script that was asked for; `nil` when none was, or not for a shell that ArgumentParser knows.
  static func asked(by arguments: [String], of root: any ParsableCommand.Type) -> String? {
    let words = arguments.first?.split(separator: "=", maxSplits: 1).map(String.init) ?? []
    guard words.first == option else { return nil }
    let name = words.count > 1 ? words[1] : arguments.dropFirst().first ?? ""
    guard arguments.count == (words.count > 1 ? 1 : 2), let shell = CompletionShell(rawValue: name) else {
      return nil
    }
    return root.completionScript(for: shell)
  }
}
