import ArgumentParser

/// The arguments with a command's name in front of the options that were typed before it: people write
/// `download-all --config FILE plan` as well as `download-all plan --config FILE`.
///
/// - Parameters:
///   - arguments: What was typed.
///   - root: The program, with its commands.
/// - Throws: `DecodingError`, if ArgumentParser describes its options in another way than this program knows.
public func commandFirst(_ arguments: [String], of root: any ParsableCommand.Type) throws -> [String] {
  let commands = root.configuration.subcommands.compactMap { $0.configuration.commandName }
  // To describe all options takes a while, and hardly anybody needs it.
  guard arguments.first?.hasPrefix("-") == true, arguments.contains(where: commands.contains) else {
    return arguments
  }
  let flags = try CommandDescription(root).flagNames
  var index = 0
  while index < arguments.count {
    let argument = arguments[index]
    if commands.contains(argument) {
      var reordered = arguments
      reordered.insert(reordered.remove(at: index), at: 0)
      return reordered
    }
    guard argument.hasPrefix("-"), argument != "--" else { return arguments }
    // The value of an option is not a command, whatever it says.
    index += takesValue(argument, flags) ? 2 : 1
  }
  return arguments
}

private func takesValue(_ option: String, _ flags: Set<String>) -> Bool {
  if option.contains("=") || flags.contains(option) { return false }
  // Short flags may stand together: -qn is -q -n.
  let letters = option.dropFirst()
  return option.hasPrefix("--") || !letters.allSatisfy { flags.contains("-\($0)") }
}
